package cli

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report"
	"fairlead.dev/fairlead/plan/desired"
	"fairlead.dev/fairlead/plan/topology"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/network"
)

type simulateFlags struct {
	packageCommand
	without []string
}

func newSimulate(sys *System) *cobra.Command {
	o := &simulateFlags{packageCommand: newPackageCommand(sys)}
	c := &cobra.Command{
		Use:   "simulate [PACKAGE] [--without site/NAME]",
		Short: "Tell what fails when sites and links fail",
		Long: `Simulate takes sites and links out of the description, all at once, and tells which
of the other sites are cut off from which, which paths go another way and what they
cost then, and what has nothing beside it any more. With nothing taken out it lets
each site and each link fail by itself. It never touches a cluster.`,
		Example: "  fairlead simulate --without site/hub --without link/shop1-backup",
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(c, args); err != nil {
				return err
			}
			d, err := o.load(c.Context())
			if err != nil {
				return err
			}
			n := desired.AsNetwork(d.desired)
			sites, links, err := failingParts(n, o.without)
			if err != nil {
				return err
			}
			return o.show(simulate(n, sites, links))
		},
	}
	o.flags(c)
	c.Flags().StringArrayVar(&o.without, "without", nil, "take this out: site/NAME or link/NAME (repeatable)")
	return c
}

// simulate lets everything that is named fail at once, or anything by itself.
func simulate(n network.Network, sites []network.SiteName, links []network.LinkName) report.Report {
	if len(sites)+len(links) > 0 {
		return report.Report{Simulation: &report.Simulation{
			Format: report.SimulationFormat, Network: n.Name, Outcome: topology.Without(n, sites, links),
		}}
	}
	a := topology.Analyze(n)
	return report.Report{Failures: &report.Failures{
		Format: report.FailuresFormat, Network: n.Name, Failures: a.Failures(), Cuts: a.Cuts(), Unused: a.Unused(),
	}}
}

// failingParts reads the values of --without; one that is not in the network is refused.
func failingParts(n network.Network, list []string) (sites []network.SiteName, links []network.LinkName, err error) {
	var knownSites, knownLinks []string
	for _, s := range n.Sites {
		knownSites = append(knownSites, string(s.Name))
	}
	for _, l := range n.Links {
		knownLinks = append(knownLinks, string(l.Name))
	}
	for _, text := range list {
		kind, name, _ := strings.Cut(text, "/")
		known := knownSites
		switch kind {
		case "site":
			sites = append(sites, network.SiteName(name))
		case "link":
			known, links = knownLinks, append(links, network.LinkName(name))
		default:
			return nil, nil, fail(exitInvalid, "--without %s: say site/NAME or link/NAME", text)
		}
		if !slices.Contains(known, name) {
			return nil, nil, fail(exitInvalid, "--without %s: the network has no such %s; it has %s", text, kind, cmp.Or(words.Some(slices.Sorted(slices.Values(known)), mostKnown), "none"))
		}
	}
	return sites, links, nil
}

// mostKnown is how many names an error lists.
const mostKnown = 20
