"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, from) => Array.from((from || document).querySelectorAll(selector));
  const one = (selector, from) => (from || document).querySelector(selector);
  const words = (text) => (text || "").split(" ").filter(Boolean);
  root.classList.add("scripted");

  // Light and dark: the system's choice until the button is used.
  const theme = one("#theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
  const nameTheme = () => { one("span", theme).textContent = isDark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; nameTheme(); });
  system.addEventListener("change", nameTheme);
  nameTheme();

  // Paper shows what is folded, and pictures as they were drawn.
  const onPaper = [];
  const paper = matchMedia("print");
  paper.addEventListener("change", () => {
    const folded = paper.matches ? all("details:not([open])") : all("details[data-shut]");
    for (const d of folded) { d.open = paper.matches; d.toggleAttribute("data-shut", paper.matches); }
    onPaper.forEach((act) => act());
  });

  // Filter.
  const rows = all("tr.row");
  const field = one("#words");
  const verbs = all("#filter button[data-verb]");
  function filter() {
    const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    const pressed = verbs.filter((b) => b.getAttribute("aria-pressed") === "true").map((b) => b.dataset.verb);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !wanted.every((w) => text.includes(w)) || pressed.length > 0 && !pressed.includes(row.dataset.verb);
      if (!row.hidden) shown++;
    }
    one("#shown").textContent = shown === rows.length ? "" : shown + " of " + rows.length;
  }
  if (field) {
    one("#filter").addEventListener("submit", (e) => e.preventDefault());
    field.addEventListener("input", filter);
    for (const b of verbs) {
      b.addEventListener("click", () => { b.setAttribute("aria-pressed", String(b.getAttribute("aria-pressed") !== "true")); filter(); });
    }
  }

  const picture = one("#picture");
  if (picture) draw(picture);

  addEventListener("keydown", (e) => {
    if (e.key === "/" && field && !/^(INPUT|TEXTAREA)$/.test(e.target.tagName)) { e.preventDefault(); field.focus(); }
  });

  function draw(picture) {
    const data = JSON.parse(one("#data").textContent);
    const parts = all(".stage [data-is]", picture);
    const told = rows.concat(all(".effects li[data-of]"));
    const panel = one("#picked");
    const names = new Intl.Collator("en", { numeric: true });
    const known = (id) => (id[0] === "s" ? data.sites : data.links)[Number(id.slice(1))];
    const linksOf = (site) => data.links.map((l, i) => ["l" + i, l]).filter(([, l]) => l.from === site || l.to === site);

    // Picking: what is picked is on; the links of a site, and the ends of a link, are near.
    function pick(ids) {
      const on = new Set(ids), near = new Set();
      data.links.forEach((l, i) => {
        if (on.has(l.from) || on.has(l.to)) near.add("l" + i);
        if (on.has("l" + i)) { near.add(l.from); near.add(l.to); }
      });
      data.links.forEach((l, i) => { if (near.has("l" + i)) { near.add(l.from); near.add(l.to); } });
      picture.classList.toggle("picking", on.size > 0);
      for (const p of parts) {
        const is = words(p.dataset.is);
        p.classList.toggle("on", is.some((id) => on.has(id)));
        p.classList.toggle("near", is.some((id) => near.has(id)));
      }
      for (const r of told) r.classList.toggle("on", words(r.dataset.of).some((id) => on.has(id)));
      tell(Array.from(on));
    }

    function tell(ids) {
      panel.replaceChildren();
      panel.hidden = ids.length === 0;
      if (panel.hidden) return;
      panel.append(button("×", () => pick([]), "close", "Close"));
      if (ids.length === 1) tellOne(ids[0]); else tellMany(ids);
      const about = told.filter((r) => r.id && r.classList.contains("on"));
      if (about.length === 0) return;
      const list = element("p", about.length === 1 ? "1 action: " : about.length + " actions: ");
      for (const r of about.slice(0, 8)) list.append(jump(r), " ");
      if (about.length > 8) list.append("…");
      panel.append(list);
    }

    function tellOne(id) {
      const part = known(id);
      panel.append(element("b", part.name));
      if (id[0] === "l") {
        panel.append(element("p", known(part.from).name + " → " + known(part.to).name + ", cost " + part.cost + change(part)));
        return;
      }
      panel.append(element("p", "cluster " + part.cluster + ", " + part.kind + change(part)));
      const links = linksOf(id);
      if (links.length === 0) return;
      const list = element("p", links.length === 1 ? "1 link: " : links.length + " links: ");
      for (const [l, link] of links.slice(0, 40)) list.append(button(link.name, () => pick([l])));
      if (links.length > 40) list.append("…");
      panel.append(list);
    }

    function tellMany(ids) {
      const kind = ids.every((id) => id[0] === "s") ? " sites" : ids.every((id) => id[0] === "l") ? " links" : " sites and links";
      panel.append(element("b", ids.length + kind));
      const list = element("p", "");
      ids.sort((a, b) => names.compare(known(a).name, known(b).name));
      for (const id of ids) list.append(button(known(id).name, () => pick([id])));
      panel.append(list);
    }

    const change = (part) => part.change && part.change !== "noted" ? ", " + part.change : "";

    function element(tag, text) {
      const e = document.createElement(tag);
      e.textContent = text;
      return e;
    }

    function button(text, act, name, label) {
      const b = element("button", text);
      b.type = "button";
      b.className = name || "";
      if (label) b.setAttribute("aria-label", label);
      b.addEventListener("click", act);
      return b;
    }

    function jump(row) {
      const a = element("a", row.dataset.verb + " " + one(".pick", row).textContent);
      a.href = "#" + row.id;
      a.addEventListener("click", () => { row.hidden = false; });
      return a;
    }

    for (const p of parts) {
      const act = () => { if (!dragged) pick(p.classList.contains("on") && words(p.dataset.is).length === 1 ? [] : words(p.dataset.is)); };
      p.addEventListener("click", act);
      p.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); act(); } });
    }
    for (const r of told) {
      r.addEventListener("click", (e) => {
        const link = e.target.closest("a, summary, button, code");
        if (link && !link.classList.contains("pick")) return;
        if (link) e.preventDefault();
        if (String(getSelection()) !== "") return;
        pick(r.classList.contains("on") && !link ? [] : words(r.dataset.is || r.dataset.of));
        const seen = picture.getBoundingClientRect();
        if (link && (seen.top < 0 || seen.bottom > innerHeight)) picture.scrollIntoView();
      });
    }
    addEventListener("keydown", (e) => { if (e.key === "Escape") pick([]); });

    // Pan and zoom: the view box of each picture.
    let dragged = false;
    const views = all(".stage", picture).map(view);
    const shown = () => views.find((v) => v.stage.offsetParent !== null) || views[0];
    for (const b of all("[data-zoom]", picture)) {
      b.addEventListener("click", () => {
        const v = shown();
        if (b.dataset.zoom === "fit") v.fit(); else v.zoom(b.dataset.zoom === "in" ? 0.8 : 1.25);
      });
    }

    addEventListener("resize", () => views.forEach((v) => v.refit()));
    all("input[name=which]", picture).forEach((i) => i.addEventListener("change", () => views.forEach((v) => v.refit())));

    function view(stage) {
      const svg = one("svg", stage);
      const width = Number(svg.getAttribute("width")), height = Number(svg.getAttribute("height"));
      let box = { x: 0, y: 0, w: width, h: height };
      let start = null;
      const set = (x, y, w, h) => {
        box = { x, y, w, h };
        svg.setAttribute("viewBox", [x, y, w, h].map((n) => n.toFixed(1)).join(" "));
      };
      const perPixel = () => box.w / stage.clientWidth;

      // The whole picture where that can be read, or else its width from the top. The stage
      // ends where the window or what stands beside it ends.
      function fit() {
        if (paper.matches) return set(0, 0, width, height);
        const room = stage.clientWidth || width;
        const above = picture.getBoundingClientRect().top + scrollY, aside = one(".aside");
        const beside = aside.offsetLeft > picture.offsetLeft ? aside.offsetHeight : 0;
        const tall = Math.max(320, Math.min(innerHeight - above - 95, 1000));
        const scale = Math.min(1.5, Math.max(0.7, Math.min(room / width, Math.max(1.1, tall / height))));
        stage.style.setProperty("--stage", Math.max(Math.min(1000, Math.ceil(height * scale)), Math.min(tall, beside - 85)) + "px");
        const w = room / scale, h = stage.clientHeight / scale;
        set((width - w) / 2, h < height ? 0 : (height - h) / 2, w, h);
      }

      function zoom(by, x, y) {
        const scale = stage.clientWidth / (box.w * by);
        if (scale > 8 || scale < 0.05) return;
        const cx = x === undefined ? box.x + box.w / 2 : x, cy = y === undefined ? box.y + box.h / 2 : y;
        set(cx + (box.x - cx) * by, cy + (box.y - cy) * by, box.w * by, box.h * by);
      }

      svg.addEventListener("wheel", (e) => {
        if (!e.ctrlKey && !e.metaKey) return;
        e.preventDefault();
        const r = svg.getBoundingClientRect();
        zoom(Math.exp(Math.max(-60, Math.min(60, e.deltaY)) / 200), box.x + (e.clientX - r.left) * perPixel(), box.y + (e.clientY - r.top) * perPixel());
      }, { passive: false });
      svg.addEventListener("pointerdown", (e) => {
        dragged = false;
        if (e.button === 0) start = { x: e.clientX, y: e.clientY, box };
      });
      addEventListener("pointermove", (e) => {
        if (!start) return;
        const dx = e.clientX - start.x, dy = e.clientY - start.y;
        if (!dragged && Math.abs(dx) + Math.abs(dy) < 5) return;
        dragged = true;
        svg.classList.add("moving");
        set(start.box.x - dx * perPixel(), start.box.y - dy * perPixel(), box.w, box.h);
      });
      addEventListener("pointerup", () => { start = null; svg.classList.remove("moving"); });
      addEventListener("pointercancel", () => { start = null; svg.classList.remove("moving"); });
      svg.addEventListener("click", (e) => { if (!dragged && !e.target.closest("[data-is]")) pick([]); });
      stage.tabIndex = 0;
      stage.setAttribute("aria-label", "Arrow keys move the picture, + and - zoom, 0 fits it");
      stage.addEventListener("keydown", (e) => {
        if (e.ctrlKey || e.metaKey || e.altKey) return;
        const step = 60 * perPixel();
        switch (e.key) {
          case "+": case "=": zoom(0.8); break;
          case "-": zoom(1.25); break;
          case "0": fit(); break;
          case "ArrowLeft": set(box.x - step, box.y, box.w, box.h); break;
          case "ArrowRight": set(box.x + step, box.y, box.w, box.h); break;
          case "ArrowUp": set(box.x, box.y - step, box.w, box.h); break;
          case "ArrowDown": set(box.x, box.y + step, box.w, box.h); break;
          default: return;
        }
        e.preventDefault();
      });
      // Only a stage that is seen has a size to fit into.
      let fitted = 0;
      function refit() {
        const room = stage.clientWidth;
        if (room > 0 && room !== fitted) { fitted = room; fit(); }
      }
      refit();
      onPaper.push(fit);
      return { stage, fit, zoom, refit };
    }
  }
})();
