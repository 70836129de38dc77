package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"fairlead.dev/fairlead/cmd/internal/report/picture"
	"fairlead.dev/fairlead/plan/desired"
)

// pictures are the formats of graph.
var pictures = map[string]func(io.Writer, picture.Picture) error{
	"mermaid": picture.Mermaid, "dot": picture.DOT, "svg": picture.SVG,
}

type graphFlags struct {
	packageCommand
	all bool
}

func newGraph(sys *System) *cobra.Command {
	o := &graphFlags{packageCommand: newPackageCommand(sys, "mermaid", "dot", "svg")}
	c := &cobra.Command{
		Use:   "graph [PACKAGE]",
		Short: "Draw a description: sites, clusters, links and costs",
		Long: `Graph draws the sites of a description, grouped by cluster, and the links with their
costs: as Mermaid, for Markdown and GitHub; as DOT, for Graphviz; or as SVG. Sites
that accept links, sites that only connect, and edge sites look different. Of more
than 40 sites, Mermaid and DOT show those that are alike as one, but for --all. It
never touches a cluster.`,
		Example: "  fairlead graph --format svg -o network.svg",
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.check(c, args); err != nil {
				return err
			}
			d, err := o.load(c.Context())
			if err != nil {
				return err
			}
			p := picture.Of(desired.AsNetwork(d.desired))
			if o.format != "svg" && !o.all {
				p = p.Condensed(picture.ReadableNodes)
			}
			return o.draw(p)
		},
	}
	o.flags(c)
	c.Flags().BoolVar(&o.all, "all", false, "draw every site by itself, however many are alike")
	return c
}

// draw writes a picture in the chosen format.
func (o *graphFlags) draw(p picture.Picture) error {
	if o.format == "mermaid" && len(p.Edges) > picture.MermaidEdges {
		fmt.Fprintf(o.sys.Err, "fairlead: more than %d links: most viewers refuse so large a Mermaid picture; --format svg draws it\n", picture.MermaidEdges)
	}
	return o.out(func(w io.Writer) error { return pictures[o.format](w, p) })
}
