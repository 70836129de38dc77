package world

import (
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/schema/network"
)

// Settled gives the observation with what is known to be done of the intents in the
// network's inventories as last applied: an apply may have died after a write and before it
// could say so. Of a Site's or an object's fields that are those which have the intended
// value. Intents stay, as it is for an apply to close them.
func Settled(o Observation, net string) Observation {
	o.Clusters = slices.Clone(o.Clusters)
	for i, c := range o.Clusters {
		o.Clusters[i].Inventories = slices.Clone(c.Inventories)
		for j, inv := range c.Inventories {
			if inv.Broken == "" && inv.Content.Network == net {
				o.Clusters[i].Inventories[j].Content = settled(inv.Content, c, inv.Namespace)
			}
		}
	}
	return o
}

func settled(inv record.Inventory, c ClusterView, namespace string) record.Inventory {
	if inv.Intent != nil {
		for _, s := range c.Sites {
			own := s.Namespace == namespace && s.Owned(inv.Network) && !s.Deleting
			if own && (s.Name == inv.Object || inv.Object == "" && s.Name == string(inv.Site)) {
				fields := record.SettledFields(field.Equality, inv.Fields, inv.Intent, s.Fields)
				inv.Fields, inv.Answer = fields, inv.Answer.Of(inv.Fields, fields)
			}
		}
	}
	for key, o := range inv.Objects {
		if o.Intent != nil {
			inv.SetObject(key, settledObject(o, inv, c, namespace, key))
		}
	}
	for name, l := range inv.Links {
		if l.Intent != nil {
			inv.SetLink(name, settledLink(l, c, namespace, name))
		}
	}
	return inv
}

func settledObject(o record.Object, inv record.Inventory, c ClusterView, namespace, key string) record.Object {
	for _, v := range c.Objects {
		ours := v.Owned(inv.Network) && v.Labels[plan.LabelSite] == string(inv.Site) && v.Labels[plan.LabelObject] == OverlayObject
		if v.Namespace != namespace || plan.ObjectKey(v.APIVersion, v.Kind, v.Name) != key || !ours || v.Deleting {
			continue
		}
		fields := record.SettledFields(field.Exactly, o.Fields, o.Intent, field.Pick(v.Content, o.Intent.Fields, o.Fields))
		o.Fields, o.Answer = fields, o.Answer.Of(o.Fields, fields)
	}
	return o
}

// settledLink gives a link that was made anew as under way, where its old Links are not all
// there any more and new ones are: they go when those carry traffic.
func settledLink(l record.Link, c ClusterView, namespace string, name network.LinkName) record.Link {
	var names []string
	var costs []int32
	for _, v := range c.Links {
		if v.Namespace == namespace && !v.Deleting {
			names = append(names, v.Name)
			if slices.Contains(l.Objects, v.Name) {
				costs = append(costs, max(v.Cost, 1))
			}
		}
	}
	l.Cost = l.SettledCost(costs)
	old := !slices.ContainsFunc(l.Objects, func(o string) bool { return !slices.Contains(names, o) })
	made := slices.ContainsFunc(l.Making(name), func(o string) bool { return slices.Contains(names, o) })
	if !old && made {
		return l.UnderWay()
	}
	return l
}
