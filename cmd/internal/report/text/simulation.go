package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/cmd/internal/report/words"
	"fairlead.dev/fairlead/plan/topology"
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

// detour is how pairs of sites go before and after.
type detour struct {
	before, after  int64
	viaBefore, via string
	pairs          []string
	count          int
}

func (p *printer) reroutes(list []topology.Reroute) {
	if len(list) == 0 {
		return
	}
	p.title("Rerouted")
	ways := detours(list)
	for _, w := range ways[:min(len(ways), most)] {
		p.line("  %s: cost %d %s, was %d %s", p.paint(yellow, words.Plural(w.count, "pair", "pairs")), w.after, w.via, w.before, w.viaBefore)
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
	type key struct {
		before, after  int64
		viaBefore, via string
	}
	known := map[key]*detour{}
	var out []*detour
	for _, r := range list {
		k := key{r.Before, r.After, through(r.ViaBefore), through(r.Via)}
		w := known[k]
		if w == nil {
			w = &detour{before: k.before, after: k.after, viaBefore: k.viaBefore, via: k.via}
			known[k] = w
			out = append(out, w)
		}
		if w.count++; w.count <= 3 {
			w.pairs = append(w.pairs, string(r.From)+" to "+string(r.To))
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
