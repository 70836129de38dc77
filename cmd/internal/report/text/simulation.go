package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/network"
)

// most is how many names or lines of one kind a text has; the JSON has all.
const most = 10

func (p *printer) simulation(s report.Simulation) {
	p.line("%s without %s", p.paint(bold, "Network "+s.Network), failing(s))
	p.cutOff(s.Separations)
	p.reroutes(s.Reroutes)
	p.left(s.Effects)
	p.gap()
	pairs := words.Plural(s.Pairs, "connected pair of sites", "connected pairs of sites")
	if s.CutOff+s.Rerouted == 0 {
		p.line("%s nothing cut off or rerouted, of %s.", p.paint(green, "Simulated:"), pairs)
		return
	}
	p.line("%s %d cut off and %d rerouted, of %s.", p.paint(bold, "Simulated:"), s.CutOff, s.Rerouted, pairs)
}

// failing names what fails: "site hub and links a and b".
func failing(s report.Simulation) string {
	var parts []string
	for _, p := range []struct {
		word  string
		names []string
	}{{"site", words.Strings(s.Sites)}, {"link", words.Strings(s.Links)}} {
		switch len(p.names) {
		case 0:
		case 1:
			parts = append(parts, p.word+" "+p.names[0])
		default:
			parts = append(parts, p.word+"s "+words.Listed(p.names, most))
		}
	}
	return strings.Join(parts, ", ")
}

func (p *printer) cutOff(list []topology.Separation) {
	if len(list) == 0 {
		return
	}
	p.title("Cut off")
	for _, s := range list[:min(len(list), most)] {
		p.line("  %s", p.paint(red, words.Listed(s.Sites, most)+" from "+words.Listed(s.From, most)))
	}
	p.more(len(list), "group of sites", "groups of sites")
}

// route is how pairs of sites go before and after.
type route struct {
	before, after  int64
	viaBefore, via string
}

// detour is a route, with how many pairs go it and the first of them.
type detour struct {
	route
	pairs []string
	count int
}

func (p *printer) reroutes(list []topology.Reroute) {
	if len(list) == 0 {
		return
	}
	p.title("Rerouted")
	ways := detours(list)
	for _, w := range ways[:min(len(ways), most)] {
		p.line("  %s: cost %d %s, was %d %s", p.paint(yellow, words.Plural(w.count, "pair", "pairs")), w.after, w.via,
			w.before, w.viaBefore)
		pairs := strings.Join(w.pairs, ", ")
		if rest := w.count - len(w.pairs); rest > 0 {
			pairs += fmt.Sprintf(" and %d more", rest)
		}
		p.line("      %s", p.paint(dim, pairs))
	}
	p.more(len(ways), "way", "ways")
	p.line("  %s", p.paint(dim, "Where several sites serve an address, "+topology.ThresholdRule+"."))
}

// detours gathers the pairs that go the same ways at the same costs, those with the most
// pairs first.
func detours(list []topology.Reroute) []*detour {
	known := map[route]*detour{}
	var out []*detour
	for _, r := range list {
		k := route{r.Before, r.After, through(r.ViaBefore), through(r.Via)}
		d := known[k]
		if d == nil {
			d = &detour{route: k}
			known[k], out = d, append(out, d)
		}
		if d.count++; d.count <= 3 {
			d.pairs = append(d.pairs, string(r.From)+" to "+string(r.To))
		}
	}
	slices.SortStableFunc(out, func(x, y *detour) int {
		return cmp.Or(cmp.Compare(y.count, x.count), cmp.Compare(y.after-y.before, x.after-x.before))
	})
	return out
}

func through(via []network.SiteName) string {
	if len(via) == 0 {
		return "directly"
	}
	return "through " + strings.Join(words.Strings(via), ", ")
}

// left shows what the rest of the network is like; what was told already is left out.
func (p *printer) left(list []topology.Effect) {
	list = slices.DeleteFunc(slices.Clone(list), func(e topology.Effect) bool {
		return e.Code == topology.ConnectionLost || e.Code == topology.CostRaised
	})
	if len(list) == 0 {
		return
	}
	p.title("What is left")
	for _, e := range list {
		p.line("  %s", p.paint(severities[string(e.Severity)], e.Message))
	}
}

// more says how many of all things were not shown.
func (p *printer) more(all int, one, many string) {
	if all > most {
		p.line("  … and %s", words.Plural(all-most, "more "+one, "more "+many))
	}
}

func (p *printer) failures(f report.Failures) {
	p.line("%s when one site or link fails", p.paint(bold, "Network "+f.Network))
	p.gap()
	worst := slices.DeleteFunc(slices.Clone(f.Failures),
		func(v topology.Failure) bool { return v.CutOff+v.Rerouted == 0 })
	slices.SortStableFunc(worst, func(x, y topology.Failure) int {
		return cmp.Or(cmp.Compare(y.CutOff, x.CutOff), cmp.Compare(y.Rerouted, x.Rerouted))
	})
	if len(worst) == 0 {
		p.line("Nothing is cut off or rerouted, whichever it is.")
	} else {
		p.failureTable(worst[:min(len(worst), most)])
		p.more(len(worst), "site or link that others need", "sites and links that others need")
	}
	p.unused(f.Unused)
	p.gap()
	cuts, reroutes := 0, 0
	for _, v := range worst {
		cuts += min(1, v.CutOff)
		reroutes += min(1, v.Rerouted)
	}
	p.line("%s of %s %d would cut sites off, %d would reroute some.", p.paint(bold, "Simulated:"),
		words.Plural(len(f.Failures), "single failure", "single failures"), cuts, reroutes)
}

func (p *printer) failureTable(list []topology.Failure) {
	var rows [][]cell
	for _, f := range list {
		what, worst := "site "+string(f.Site), ""
		if f.Link != "" {
			what = "link " + string(f.Link)
		}
		if w := f.Worst; w != nil {
			worst = fmt.Sprintf("%s to %s %d, was %d", w.From, w.To, w.After, w.Before)
		}
		c := color("")
		if f.CutOff > 0 {
			c = red
		}
		rows = append(rows, []cell{{what, ""}, {fmt.Sprint(f.CutOff), c}, {fmt.Sprint(f.Rerouted), ""}, {worst, dim}})
	}
	p.table([]string{"FAILS", "PAIRS CUT OFF", "PAIRS REROUTED", "WORST PATH COST"}, rows)
}

func (p *printer) unused(list []topology.UnusedLink) {
	if len(list) == 0 {
		return
	}
	var names []string
	for _, u := range list {
		names = append(names, string(u.Link))
	}
	p.gap()
	p.line("On no cheapest path, used only when others fail: %s", words.Listed(names, most))
}
