package topology

import "fairlead.dev/fairlead/schema/network"

// Lost counts the pairs of sites that have a path before and none after, of the sites
// that are in both networks.
func Lost(before, after network.Network) int {
	classes := classify(before, after, newGraph(before), newGraph(after))
	pairs := 0
	for i, x := range classes {
		for _, y := range classes[i+1:] { // sites of one class share all they have
			if share(x.before, y.before) && !share(x.after, y.after) {
				pairs += len(x.sites) * len(y.sites)
			}
		}
	}
	return pairs
}
