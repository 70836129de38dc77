// Package record is the inventory beside each site: what was last applied there, what an
// apply is about to do, and how both change. The changes are pure, so that an apply and the
// planner's tests make the same ones.
package record

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/field"
	"fairlead.dev/fairlead/schema/network"
)

// Format names the version of the inventory's JSON.
const Format = "fairlead.inventory/v1"

// Key is the key of the ConfigMap's data that holds the JSON.
const Key = "inventory.json"

// Inventory is what Fairlead last applied to one site, and apart from it what an apply
// that did not end is about to do. It is kept in a ConfigMap of the site's namespace and
// written before the first write of an apply. It is how pending and drift are told apart,
// and how an interrupted apply is finished. It changes by Begin and what ends that, see
// record.go; Settled says what became of intents.
type Inventory struct {
	Format  string           `json:"format"`
	Network string           `json:"network"`
	Site    network.SiteName `json:"site"`
	// Object is the name of the Site on the cluster; empty when it is Site.
	Object string `json:"object,omitempty"`
	// Commit is that of what was last applied; an intent leaves it alone.
	Commit string `json:"commit"`
	// Dirty marks that the description had changes that Commit lacks.
	Dirty   bool `json:"dirty,omitempty"`
	Protect bool `json:"protect"`
	// UID is the Site's that was written; empty while none was.
	UID string `json:"uid,omitempty"`
	// Fields are the Site's owned fields as last applied; nil while none were. A null is
	// a field that is owned and of which the value is not known.
	Fields map[string]any `json:"fields"`
	// ClusterUID is that of the cluster that the site is on, as ClusterView.UID; empty in
	// records of older builds, and where it may not be known.
	ClusterUID string `json:"clusterUID,omitempty"`
	// LockNamespace is where the lock of the cluster was kept by the last apply that ended
	// with all as declared, or else by the one that made the record; empty in records of
	// older builds.
	LockNamespace string `json:"lockNamespace,omitempty"`
	Answer
	// Intent is nil where the last write of the Site is known to be done.
	Intent *Intent `json:"intent,omitempty"`
	// Links are the links that this site connects, and retired ones.
	Links map[network.LinkName]Link `json:"links"`
	// Proxies are the proxies of this site's links; entries stay, for their numbers.
	Proxies map[network.ProxyName]Proxy `json:"proxies,omitempty"`
	// Objects are those of the site's overlays, by key (see ObjectKey). They are
	// never Secrets.
	Objects map[string]Object `json:"objects,omitempty"`
}

// Intent is what an apply wants a thing to be, whose write is not known to be done.
type Intent struct {
	// Fields are the owned fields by path that are to be written.
	Fields map[string]any `json:"fields"`
	// Refused says why the API server refused the write: then it was not done for sure.
	Refused string `json:"refused,omitempty"`
}

// Answer is what an API server made of the fields that it was sent last.
type Answer struct {
	// Stored are those that it keeps in another form, as it keeps them: normalised
	// quantities, or null for what it does not keep.
	Stored map[string]any `json:"stored,omitempty"`
	// Altered are the paths of Stored whose values mean something else than what was sent,
	// sorted: admission changed them.
	Altered []string `json:"altered,omitempty"`
}

// Open reports whether the write that is intended may have been done or not.
func (in *Intent) Open() bool { return in != nil && in.Refused == "" }

// Object is one object of an overlay as last applied.
type Object struct {
	APIVersion string          `json:"apiVersion"`
	Kind       plan.ObjectKind `json:"kind"`
	Name       string          `json:"name"`
	// UID is the object's that was written, or that is to be; empty where there was none.
	UID string `json:"uid,omitempty"`
	// Fields are the owned fields by path, as sent; nil while none were. A null is as in
	// Inventory.
	Fields map[string]any `json:"fields"`
	Answer
	// Intent is as in Inventory.
	Intent *Intent `json:"intent,omitempty"`
}

// LinkState says how far a link of the inventory is.
type LinkState string

const (
	// LinkUnderWay marks a link that an apply makes: its Link is not known to be
	// operational yet.
	LinkUnderWay LinkState = "under-way"
	// LinkApplied marks a link that was brought up as recorded.
	LinkApplied LinkState = "applied"
	// LinkRetired marks a deleted link. It is kept for its attempt number: a name
	// that was used once is never used again while the Site lives.
	LinkRetired LinkState = "retired"
)

// Link is one link as last applied; where it never was, as it is being made.
type Link struct {
	State LinkState        `json:"state"`
	To    network.SiteName `json:"to"`
	// ToCluster and ToNamespace are where the grant was made.
	ToCluster   network.ClusterName `json:"toCluster"`
	ToNamespace string              `json:"toNamespace"`
	// ToUID is the listening Site's UID: a Site with another UID has another CA.
	ToUID string `json:"toUID"`
	// ToClusterUID is that of ToCluster, as Inventory.ClusterUID.
	ToClusterUID string `json:"toClusterUID,omitempty"`
	Cost         int32  `json:"cost"`
	// KeptCost is the cost that its Links were given instead, by a cluster that alters it; 0
	// where none does.
	KeptCost int32 `json:"keptCost,omitempty"`
	// Attempt is the highest that was used.
	Attempt int `json:"attempt"`
	// Unanswered are attempts that were given up while it was not known what came of their
	// redemption, sorted: a Link and a Secret of their names may come at any time. They
	// count for a retired link; of any other all attempts do.
	Unanswered []int `json:"unanswered,omitempty"`
	// Objects are the names of the Links that were taken over.
	Objects []string `json:"objects"`
	// Adopted marks Links that were made by hand: their endpoints are their own.
	Adopted bool `json:"adopted,omitempty"`
	// Via is how it got its credentials; empty means by token.
	Via network.Via `json:"via,omitempty"`
	// Rotation is the one that was declared.
	Rotation int32 `json:"rotation,omitempty"`
	// Proxy and ProxySecret are the proxy and the Secret that its Links name.
	Proxy       network.ProxyName `json:"proxy,omitempty"`
	ProxySecret string            `json:"proxySecret,omitempty"`
	// Intent, of a link that was applied, is what an apply that did not end makes of it:
	// it is under way where the link is made anew, and applied where its Links change in
	// place. Attempt and Objects are not used in it.
	Intent *Link `json:"intent,omitempty"`
	// Refused says why the API server refused a write of a link that is under way.
	Refused string `json:"refused,omitempty"`
}

// Claims reports whether an object name is that of an attempt whose redemption may make a
// Link or a Secret yet, or has made it. After a link is gone its names are free for others
// but for those of attempts of which nothing was heard.
func (l Link) Claims(name network.LinkName, object string) bool {
	if l.State != LinkRetired {
		return network.IsObjectName(object, name, l.Attempt)
	}
	return slices.ContainsFunc(l.Unanswered, func(attempt int) bool { return object == network.ObjectName(name, attempt) })
}

// WithAttempts adds attempts to a sorted list.
func WithAttempts(list []int, attempts ...int) []int {
	out := slices.Concat(list, attempts)
	slices.Sort(out)
	return slices.Compact(out)
}

// Proxy is a proxy as it was written for one site.
type Proxy struct {
	// Revision is the highest number that was used in a Secret's name.
	Revision int `json:"revision"`
	// Secrets are the settings in each of its Secrets that a link of the site names. Older
	// builds recorded those of one alone, which are under the empty name: Of finds them.
	Secrets map[string]ProxySettings `json:"secrets"`
}

// ProxySettings are what is in a proxy's Secret, which never changes.
type ProxySettings struct {
	Host string `json:"host"`
	Port string `json:"port"`
	// References tell where the credentials came from.
	References string `json:"references"`
}

// Of gives the settings in a Secret, as far as they are recorded.
func (p Proxy) Of(secret string) (ProxySettings, bool) {
	if s, ok := p.Secrets[secret]; ok {
		return s, true
	}
	s, ok := p.Secrets[""]
	return s, ok
}

// UnmarshalJSON implements json.Unmarshaler, for the records of older builds too.
func (p *Proxy) UnmarshalJSON(data []byte) error {
	type plain Proxy
	var read struct {
		plain
		ProxySettings
	}
	if err := json.Unmarshal(data, &read); err != nil {
		return err
	}
	*p = Proxy(read.plain)
	if p.Secrets == nil {
		p.Secrets = map[string]ProxySettings{}
		if read.Host != "" {
			p.Secrets[""] = read.ProxySettings
		}
	}
	return nil
}

// Decode reads an inventory's JSON. A newer or unknown format is an error.
func Decode(data string) (Inventory, error) {
	var inv Inventory
	if err := json.Unmarshal([]byte(data), &inv); err != nil {
		return Inventory{}, fmt.Errorf("inventory: %w", err)
	}
	if inv.Format != Format {
		return Inventory{}, fmt.Errorf("inventory: format %q is not %q; a newer Fairlead may have written it", inv.Format, Format)
	}
	if inv.Links == nil {
		inv.Links = map[network.LinkName]Link{}
	}
	return inv, partMarked(&inv, data)
}

// partMarked reads what older builds recorded: they wrote what they intended over what was
// last applied, and marked the paths that were to change.
func partMarked(inv *Inventory, data string) error {
	type marks struct {
		Unwritten []string `json:"unwritten"`
	}
	var marked struct {
		marks
		Objects map[string]marks `json:"objects"`
	}
	if err := json.Unmarshal([]byte(data), &marked); err != nil {
		return fmt.Errorf("inventory: %w", err)
	}
	if len(marked.Unwritten) > 0 {
		inv.Fields, inv.Intent = partedBy(marked.Unwritten, inv.Fields)
	}
	for key, m := range marked.Objects {
		if o := inv.Objects[key]; len(m.Unwritten) > 0 {
			o.Fields, o.Intent = partedBy(m.Unwritten, o.Fields)
			inv.Objects[key] = o
		}
	}
	return nil
}

// partedBy parts recorded fields in those that were applied and all that were intended.
// The path "*" stands for every path.
func partedBy(unwritten []string, fields map[string]any) (applied map[string]any, in *Intent) {
	in = &Intent{Fields: map[string]any{}}
	applied = map[string]any{}
	for path, v := range fields {
		applied[path] = v
		if v != nil { // else it was applied with a value that is not known, and is to go
			in.Fields[path] = v
		}
	}
	for _, path := range unwritten {
		if path == "*" {
			return nil, in
		}
		if applied[path] != nil {
			delete(applied, path)
		}
	}
	return applied, in
}

// Encode gives the inventory's JSON, the same bytes for the same content.
func (inv Inventory) Encode() (string, error) {
	inv.Format = Format
	data, err := json.MarshalIndent(inv, "", " ")
	if err != nil {
		return "", fmt.Errorf("inventory: %w", err)
	}
	return string(data), nil
}

// Making are the names that the Links of an attempt under way may have; none where the
// link is not made anew.
func (l Link) Making(name network.LinkName) []string {
	if l.Intent == nil || l.Intent.State != LinkUnderWay {
		return nil
	}
	return network.LinkObjectNames(network.ObjectName(name, l.Attempt))
}

// Listening are the places of the sites that a link leads to, and is to lead to.
func (l Link) Listening() []plan.Place {
	out := []plan.Place{plan.PlaceOf(l.ToCluster, l.ToNamespace)}
	if in := l.Intent; in != nil && plan.PlaceOf(in.ToCluster, in.ToNamespace) != out[0] {
		out = append(out, plan.PlaceOf(in.ToCluster, in.ToNamespace))
	}
	return out
}

// Of gives what is recorded of one of a link's Links: one that is being made is as it is
// intended.
func (l Link) Of(name network.LinkName, object string) Link {
	if !slices.Contains(l.Objects, object) && slices.Contains(l.Making(name), object) {
		return l.UnderWay()
	}
	return l
}

// UnderWay is a link as the apply that makes it anew wants it.
func (l Link) UnderWay() Link {
	out := *l.Intent
	out.Attempt, out.Objects, out.Unanswered = l.Attempt, l.Objects, l.Unanswered
	return out
}

// AsStored replaces fields that are as they were sent last by what the API server made of
// them.
func (w Answer) AsStored(fields, sent map[string]any) map[string]any {
	if len(w.Stored) == 0 || fields == nil {
		return fields
	}
	out := maps.Clone(fields)
	for path, stored := range w.Stored {
		if v, ok := fields[path]; ok && field.SameValue(v, sent[path]) {
			out[path] = stored
		}
	}
	return out
}

// SettledFields are the fields last applied, with those of the intent that are live.
func SettledFields(equality func(path string) func(a, b any) bool, applied map[string]any, in *Intent, live map[string]any) map[string]any {
	if !in.Open() {
		return applied
	}
	out := maps.Clone(applied)
	if out == nil {
		out = map[string]any{}
	}
	for _, paths := range []map[string]any{applied, in.Fields} {
		for path := range paths {
			want := in.Fields[path]
			switch {
			case !equality(path)(live[path], want):
			case want == nil:
				delete(out, path)
			default:
				out[path] = want
			}
		}
	}
	return out
}

// MadeVia is how a recorded link got its credentials.
func (l Link) MadeVia() network.Via { return cmp.Or(l.Via, network.ViaToken) }
