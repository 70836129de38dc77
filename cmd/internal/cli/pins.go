package cli

import (
	"context"

	"fairlead.dev/fairlead/apply/kube"
)

// pinned refuses clusters that are not those which the description pins, before anything is
// written to them. Of one that does not say who it is the plan tells.
func (o *common) pinned(ctx context.Context, s session) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	var list []*kube.Cluster
	for _, c := range s.Network.Clusters {
		if client, ok := s.clusters[c.Name]; ok && c.UID != "" {
			list = append(list, client)
		}
	}
	found := kube.WhoAre(ctx, list, kube.Reading{Network: s.Network.Name, Areas: areas(s, o.asked)}, o.parallelism)
	for _, view := range found.Clusters {
		pin := s.desired.UIDs[view.Name]
		if same, known := view.Is(pin); known && !same {
			return fail(exitRefused, "cluster %s is another one than the description pins: its UID is %s, not %s; nothing was applied.\n"+
				"Correct how it is reached, or its uid", view.Name, view.UID, pin)
		}
	}
	return nil
}
