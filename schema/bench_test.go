package schema_test

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"fairlead.dev/fairlead/schema"
)

// literal writes out a network of the given size, entry by entry.
func literal(sites, links int) string {
	var b strings.Builder
	b.WriteString("package big\n\nnetwork: \"big\"\nclusters: c: context: \"ctx\"\nsites: {\n")
	for i := range sites {
		fmt.Fprintf(&b, "\ts%d: {cluster: \"c\", namespace: \"ns-%d\", linkAccess: \"default\"}\n", i, i)
	}
	b.WriteString("}\nlinks: {\n")
	for i := range links {
		from, hop := i%sites, 1+i/sites
		fmt.Fprintf(&b, "\tl%d: {from: \"s%d\", to: \"s%d\", cost: %d}\n", i, from, (from+hop)%sites, hop)
	}
	b.WriteString("}\n")
	return b.String()
}

const comprehension = `package big

import "list"

network: "big"
clusters: c: context: "ctx"
sites: {for i in list.Range(0, 1000, 1) {"s\(i)": {cluster: "c", namespace: "ns-\(i)", linkAccess: "default"}}}
links: {
	for i in list.Range(0, 1000, 1) for hop in [1, 2, 3, 4, 5] {
		"l\(i)-\(hop)": {from: "s\(i)", to: "s\(mod(i+hop, 1000))", cost: hop}
	}
}
`

// BenchmarkLoad reads 1,000 sites and 5,000 links: alone, and with the schema imported as
// `fairlead init` writes it.
func BenchmarkLoad(b *testing.B) {
	for name, text := range map[string]string{"literal": literal(1000, 5000), "comprehension": comprehension} {
		alone := tree("big.cue", text)
		for layout, files := range map[string]fs.FS{"alone": alone, "imported": embedded(b, alone, schemaFile(b))} {
			b.Run(name+"/"+layout, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					res, err := schema.Load(context.Background(), schema.Source{FS: files, Dir: "."})
					if err != nil || len(res.Findings) > 0 || len(res.Network.Links) != 5000 {
						b.Fatal(err, res.Findings[:min(3, len(res.Findings))], len(res.Network.Links))
					}
				}
			})
		}
	}
}
