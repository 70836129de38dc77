package bench

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"fairlead.dev/fairlead/plan"
)

// plan measures comparing the large network, which is on the clusters but for the
// costs of a few links, with what is described.
func (b *bench) plan() {
	stop := b.startSandbox()
	defer stop()
	live, wanted := large(), large()
	b.populate(live)
	for i := range changed {
		wanted.links[i*97].cost += 100
	}
	dir := b.describe(wanted)
	ours := &series{name: "fairlead plan"}
	for range b.runs {
		s := b.run(dir, []int{2}, "fairlead", "plan", "--detailed-exitcode", "--format", "json", ".")
		b.findsChanges(s.out)
		ours.add(s)
	}
	const title = "Compare 1,000 sites and 5,000 links with two clusters; 10 costs differ"
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		table(title, ours)
		fmt.Println("kubectl is not installed: nothing to compare with")
		return
	}
	rows := []*series{ours, {name: "kubectl diff"}, {name: "kubectl diff --concurrency 20"}}
	b.write(filepath.Join(dir, "rendered", "c0.yaml"), rendered(wanted, 0))
	b.write(filepath.Join(dir, "rendered", "c1.yaml"), rendered(wanted, 1))
	for range b.runs {
		rows[1].add(b.kubectlDiff(kubectl, dir, "1"))
		rows[2].add(b.kubectlDiff(kubectl, dir, "20"))
	}
	table(title, rows...)
	fmt.Println("kubectl runs once for each cluster, both at the same time, on the Sites and Links as YAML.")
	fmt.Println("Fairlead also reads Secrets, grants, tokens and inventories; all of it is on the clusters.")
}

// findsChanges makes sure that what was measured is the whole work.
func (b *bench) findsChanges(out string) {
	b.Helper()
	var p plan.Plan
	b.must(json.Unmarshal([]byte(out), &p))
	if len(p.Actions) != changed || p.Summary.Update != changed {
		b.Fatalf("fairlead plan: %d actions, %+v, want %d updates", len(p.Actions), p.Summary, changed)
	}
}

// kubectlDiff compares both clusters at the same time and counts the slower one.
func (b *bench) kubectlDiff(kubectl, dir, concurrency string) sample {
	b.Helper()
	var all [2]sample
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			all[i] = b.run(dir, []int{0, 1}, kubectl, "diff", "--context", b.contexts[i], "--concurrency", concurrency,
				"-f", filepath.Join("rendered", fmt.Sprintf("c%d.yaml", i)))
		})
	}
	wg.Wait()
	if n := strings.Count(all[0].out+all[1].out, "\n+  cost:"); n != changed {
		b.Fatalf("kubectl diff: found %d costs, want %d", n, changed)
	}
	return sample{wall: max(all[0].wall, all[1].wall), rss: max(all[0].rss, all[1].rss)}
}

// rendered are the Sites and Links of one cluster as YAML; JSON is YAML.
func rendered(s shape, cluster int) string {
	var w strings.Builder
	for _, o := range s.objects() {
		if o.cluster != cluster || o.kind != "sites" && o.kind != "links" {
			continue
		}
		data, err := json.Marshal(o.body)
		if err != nil {
			panic(err) // maps of strings and numbers always have a form in JSON
		}
		fmt.Fprintf(&w, "---\n%s\n", data)
	}
	return w.String()
}
