package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/schema/network"
)

// ledger writes the inventories: one page for each site's namespace. The first
// write of a page records everything that the plan is about to do at that site.
type ledger struct {
	plan     plan.Plan
	clusters map[network.ClusterName]Cluster
	run      string
	mu       sync.Mutex
	pages    map[pageKey]*page
}

type pageKey struct {
	cluster   network.ClusterName
	namespace string
}

// page is one inventory; its lock makes the writes of one process follow each
// other, the resourceVersion those of several.
type page struct {
	mu     sync.Mutex
	ref    plan.ObjectRef
	loaded bool
	// begun is true once the intents of this apply are written.
	begun   bool
	version string
	content plan.Inventory
}

func newLedger(p plan.Plan, clusters map[network.ClusterName]Cluster, run string) *ledger {
	return &ledger{plan: p, clusters: clusters, run: run, pages: map[pageKey]*page{}}
}

func (l *ledger) page(cluster network.ClusterName, namespace string) *page {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := pageKey{cluster, namespace}
	if l.pages[key] == nil {
		l.pages[key] = &page{ref: plan.ObjectRef{
			Cluster: cluster, Kind: plan.ObjectConfigMap, Namespace: namespace,
			Name: network.InventoryName(l.plan.Network),
		}}
	}
	return l.pages[key]
}

// update changes one inventory, if change makes a difference. Another writer's
// change in between is read again and kept.
func (l *ledger) update(ctx context.Context, cluster network.ClusterName, namespace string, change func(*plan.Inventory)) error {
	c, ok := l.clusters[cluster]
	if !ok {
		return fmt.Errorf("cluster %s: %w", cluster, ErrUnreachable)
	}
	pg := l.page(cluster, namespace)
	pg.mu.Lock()
	defer pg.mu.Unlock()
	return l.updateLocked(ctx, c, pg, change)
}

func (l *ledger) updateLocked(ctx context.Context, c Cluster, pg *page, change func(*plan.Inventory)) error {
	return again(func() error {
		err := l.tryUpdate(ctx, c, pg, change)
		pg.loaded = pg.loaded && !errors.Is(err, ErrConflict)
		return err
	})
}

func (l *ledger) tryUpdate(ctx context.Context, c Cluster, pg *page, change func(*plan.Inventory)) error {
	if err := pg.load(ctx, c, l.plan.Network); err != nil {
		return err
	}
	before, err := pg.content.Encode()
	if err != nil {
		return err
	}
	next := clone(pg.content)
	change(&next)
	next.Commit = pg.content.Commit
	after, err := next.Encode()
	if err != nil || after == before {
		return err
	}
	next.Commit = l.plan.Source.Commit
	if after, err = next.Encode(); err != nil {
		return err
	}
	o := Object{
		ObjectRef: pg.ref, ResourceVersion: pg.version, Data: map[string]string{plan.InventoryKey: after},
		Labels: map[string]string{
			plan.LabelManagedBy: plan.ManagedBy, plan.LabelNetwork: l.plan.Network, plan.LabelSite: string(next.Site),
		},
		Annotations: noteRun(l.run, nil),
	}
	written, err := writePage(ctx, c, o)
	if err != nil {
		return err
	}
	pg.version, pg.content = written.ResourceVersion, next
	return nil
}

// writePage makes the inventory, or changes it if it is still as it was read.
func writePage(ctx context.Context, c Writer, o Object) (Object, error) {
	if o.ResourceVersion != "" {
		return c.Apply(ctx, o, true)
	}
	made, err := c.Create(ctx, o)
	if errors.Is(err, ErrExists) {
		return made, fmt.Errorf("%s was made by someone else: %w", o.ObjectRef, ErrConflict)
	}
	return made, err
}

func (pg *page) load(ctx context.Context, c Reader, networkName string) error {
	if pg.loaded {
		return nil
	}
	o, err := c.Get(ctx, pg.ref)
	switch {
	case errors.Is(err, ErrNotFound):
		pg.content, pg.version = plan.Inventory{Format: plan.InventoryFormat, Network: networkName}, ""
	case err != nil:
		return err
	default:
		if pg.content, err = plan.DecodeInventory(o.Data[plan.InventoryKey]); err != nil {
			return fmt.Errorf("%s: %w", pg.ref, err)
		}
		pg.version = o.ResourceVersion
	}
	if pg.content.Links == nil {
		pg.content.Links = map[network.LinkName]plan.InventoryLink{}
	}
	pg.loaded = true
	return nil
}

func clone(inv plan.Inventory) plan.Inventory {
	inv.Fields, inv.Links, inv.Objects = maps.Clone(inv.Fields), maps.Clone(inv.Links), maps.Clone(inv.Objects)
	inv.Proxies = maps.Clone(inv.Proxies)
	return inv
}

// begin records what the plan will do at a site's namespace, all actions of that
// place in one write, before the first of them writes anything else. Only the
// first call of an apply writes: a later one would take back what was confirmed.
func (l *ledger) begin(ctx context.Context, cluster network.ClusterName, namespace string) error {
	c, ok := l.clusters[cluster]
	if !ok {
		return fmt.Errorf("cluster %s: %w", cluster, ErrUnreachable)
	}
	pg := l.page(cluster, namespace)
	pg.mu.Lock()
	defer pg.mu.Unlock()
	if pg.begun {
		return nil
	}
	err := l.updateLocked(ctx, c, pg, func(inv *plan.Inventory) {
		for _, a := range l.plan.Actions {
			if a.Cluster == cluster && a.Namespace == namespace && a.Has(plan.StepRecord) {
				intend(inv, a)
			}
		}
	})
	pg.begun = err == nil
	return err
}

// intend writes one action's intent into the inventory.
func intend(inv *plan.Inventory, a plan.Action) {
	if a.Kind == plan.KindSite {
		was := cmp.Or(inv.Object, string(inv.Site))
		if inv.Site != network.SiteName(a.Name) && (a.Verb != plan.VerbUpdate || was != a.Site.Object) {
			*inv = plan.Inventory{Network: inv.Network, Links: map[network.LinkName]plan.InventoryLink{}}
		}
		inv.Site, inv.Protect = network.SiteName(a.Name), a.Site.Protect
		inv.Object, inv.UID = "", a.Site.UID
		if a.Site.Object != a.Name {
			inv.Object = a.Site.Object
		}
		inv.Unwritten = plan.Unwritten(inv.Unwritten, inv.Fields, a.Site.Fields)
		if !a.Has(plan.StepSite) { // it is as declared already
			inv.Unwritten = nil
		}
		inv.Fields = withTombstones(a.Site.Fields, inv.Fields)
		return
	}
	if a.Kind == plan.KindProxy {
		intendProxy(inv, a)
		return
	}
	if a.Kind == plan.KindObject {
		intendObject(inv, a)
		return
	}
	name, w := network.LinkName(a.Name), a.Link
	if inv.Site == "" {
		inv.Site = w.From.Site
	}
	entry := inv.Links[name]
	entry.To, entry.ToCluster, entry.ToNamespace = w.To.Site, w.To.Cluster, w.To.Namespace
	entry.Cost = w.Cost
	entry.Attempt = max(entry.Attempt, w.Attempt)
	entry.ToUID = w.To.UID
	entry.Via, entry.Rotation, entry.Proxy, entry.ProxySecret = w.Via, w.Rotation, w.Proxy, w.ProxySecret
	switch making := a.Has(plan.StepGrant) || a.Has(plan.StepCertificate); {
	case making || a.Verb == plan.VerbAdopt:
		entry.State, entry.Adopted = plan.LinkUnderWay, w.Adopted
	case entry.State != plan.LinkApplied: // its inventory was lost
		entry.State, entry.Objects, entry.Adopted = plan.LinkApplied, liveNames(w), w.Adopted
	}
	if a.Verb == plan.VerbAdopt { // they bear no label yet
		entry.Objects = liveNames(w)
	}
	inv.Links[name] = entry
}

func liveNames(w *plan.LinkWork) []string {
	names := make([]string, 0, len(w.Live))
	for _, l := range w.Live {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	return names
}

// intendProxy records the revision before a Secret bears its number.
func intendProxy(inv *plan.Inventory, a plan.Action) {
	proxies := map[network.ProxyName]plan.InventoryProxy{}
	maps.Copy(proxies, inv.Proxies)
	w, name := a.Proxy, network.ProxyName(a.Name)
	proxies[name] = plan.InventoryProxy{
		Revision: max(proxies[name].Revision, w.Revision), Host: w.Host, Port: w.Port, References: w.References,
	}
	inv.Proxies = proxies
}

// withTombstones gives the desired fields and, as nil, those that were applied and
// are dropped: until the Site is written they are still owned, and an apply that
// dies before that must not forget them.
func withTombstones(desired, applied map[string]any) map[string]any {
	out := maps.Clone(desired)
	for path := range applied {
		if _, wanted := desired[path]; !wanted {
			out[path] = nil
		}
	}
	return out
}

// buryDropped takes the tombstones, and the marks of what was not written, away once the
// Site of that UID is written.
func (l *ledger) buryDropped(ctx context.Context, cluster network.ClusterName, namespace, uid string) error {
	return l.update(ctx, cluster, namespace, func(inv *plan.Inventory) {
		inv.UID, inv.Unwritten = uid, nil
		maps.DeleteFunc(inv.Fields, func(_ string, v any) bool { return v == nil })
	})
}
