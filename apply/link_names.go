package apply

import (
	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// object is the name of the current attempt's token.
func (t *task) object() string { return t.objectOf(t.attempt) }

func (t *task) objectOf(attempt int) string {
	return network.ObjectName(network.LinkName(t.Name), attempt)
}

func (t *task) tokenRef() plan.ObjectRef {
	return plan.ObjectRef{Cluster: t.Link.From.Cluster, Kind: plan.ObjectToken, Namespace: t.Link.From.Namespace, Name: t.object()}
}

func (t *task) secretRef(attempt int) plan.ObjectRef {
	return plan.ObjectRef{
		Cluster: t.Link.From.Cluster, Kind: plan.ObjectSecret, Namespace: t.Link.From.Namespace, Name: t.objectOf(attempt),
	}
}

func (t *task) linkRef(name string) plan.ObjectRef {
	return plan.ObjectRef{Cluster: t.Link.From.Cluster, Kind: plan.ObjectLink, Namespace: t.Link.From.Namespace, Name: name}
}

func (t *task) grantRef() plan.ObjectRef {
	return plan.ObjectRef{
		Cluster: t.Link.To.Cluster, Kind: plan.ObjectGrant, Namespace: t.Link.To.Namespace,
		Name: plan.GrantName(t.plan.Network, network.LinkName(t.Name), t.attempt),
	}
}

// certificateRef is the attempt's Certificate at the listening site; its Secret has
// the same name.
func (t *task) certificateRef(kind plan.ObjectKind) plan.ObjectRef {
	ref := t.grantRef()
	ref.Kind = kind
	return ref
}
