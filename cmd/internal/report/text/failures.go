package text

import (
	"cmp"
	"fmt"
	"slices"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/words"
	"fairlead.dev/fairlead/plan/topology"
)

func (p *printer) failures(f report.Failures) {
	p.line("%s when one site or link fails", p.paint(bold, "Network "+f.Network))
	p.gap()
	worst := slices.DeleteFunc(slices.Clone(f.Failures), func(v topology.Failure) bool { return v.CutOff+v.Rerouted == 0 })
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
