package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"fairlead.dev/fairlead/schema/network"
)

// links plans what the description's links need.
func (m *maker) links() {
	for _, l := range m.in.Desired.Links {
		from, to := m.index.desired[l.From], m.index.desired[l.To]
		if !m.index.readable(from.Cluster) || !m.index.readable(to.Cluster) {
			m.unknown++
			continue
		}
		if l.Via == network.ViaCertificate {
			m.refuse(Refusal{
				Code: "unsupported-link", Subject: fmt.Sprintf("link %q", l.Name),
				Message:  "links by certificate, and so through a proxy, cannot be applied by this version",
				Override: `use via: "token" without a proxy`,
			})
			continue
		}
		m.link(l, from, to)
	}
}

// linkCase is one desired link with all that was found out about it.
type linkCase struct {
	DesiredLink
	at       place
	recorded InventoryLink
	// known is true when the inventory has the link and it was not retired.
	known bool
	// own are Links that are ours, current those of the recorded attempt.
	own, current []LinkView
	action       Action
}

func (m *maker) link(l DesiredLink, from, to DesiredSite) {
	c := m.examine(l, from, to)
	switch {
	case !c.known && len(c.own) > 0 && m.elsewhere(c):
		m.add(m.replace(c, "its inventory is missing and it leads to another site", CauseDrift))
	case !c.known && m.secretGone(c.at, c.own) != "":
		m.add(m.replace(c, m.secretGone(c.at, c.own), CauseDrift))
	case !c.known && len(c.own) > 0:
		m.add(m.recordAgain(c))
	case !c.known:
		m.newLink(c)
	case c.recorded.State == LinkUnderWay:
		m.add(m.resume(c))
	default:
		m.appliedLink(c)
	}
}

func (m *maker) examine(l DesiredLink, from, to DesiredSite) linkCase {
	at := place{from.Cluster, from.Namespace}
	c := linkCase{DesiredLink: l, at: at}
	c.recorded, c.known = m.index.recorded(at, l.Name)
	c.known = c.known && c.recorded.State != LinkRetired
	fromUID := m.index.siteUID(at, l.From)
	for _, v := range m.index.liveLinks[at] {
		if m.isOwn(c, v) && !v.Deleting && (v.OwnerUID == "" || v.OwnerUID == fromUID) {
			c.own = append(c.own, v)
		}
	}
	names := network.LinkObjectNames(network.ObjectName(l.Name, c.recorded.Attempt))
	for _, v := range c.own {
		if slices.Contains(names, v.Name) || slices.Contains(c.recorded.Objects, v.Name) {
			c.current = append(c.current, v)
		}
	}
	c.action = m.linkAction(l, from, to, fromUID)
	return c
}

// isOwn reports whether the Link belongs to the link: by its label, or, before it
// could be labelled, by a name and credentials that only our own token can have
// made: redemption names the Secret after the token.
func (m *maker) isOwn(c linkCase, v LinkView) bool {
	if v.Owned(m.network()) {
		return v.Labels[LabelLink] == string(c.Name)
	}
	if !c.known || v.Labels[LabelManagedBy] == ManagedBy {
		return false
	}
	if slices.Contains(c.recorded.Objects, v.Name) {
		return true
	}
	for attempt := 1; attempt <= c.recorded.Attempt; attempt++ {
		object := network.ObjectName(c.Name, attempt)
		if v.TLSCredentials == object && slices.Contains(network.LinkObjectNames(object), v.Name) {
			return true
		}
	}
	return false
}

func (m *maker) linkAction(l DesiredLink, from, to DesiredSite, fromUID string) Action {
	a := Action{
		ID: "link/" + string(l.Name), Kind: KindLink, Verb: VerbCreate, Cause: CausePending,
		Cluster: from.Cluster, Namespace: from.Namespace, Name: string(l.Name),
		DeclaredAt: l.DeclaredAt, Disruption: DisruptionNone,
		Link: &LinkWork{
			From: End{Site: l.From, Cluster: from.Cluster, Namespace: from.Namespace, UID: fromUID},
			To: End{Site: l.To, Cluster: to.Cluster, Namespace: to.Namespace,
				UID: m.index.siteUID(place{to.Cluster, to.Namespace}, l.To)},
			Cost: l.Cost,
		},
	}
	for _, s := range []DesiredSite{from, to} {
		if m.has(siteID(s)) {
			a.DependsOn = append(a.DependsOn, siteID(s))
		}
	}
	return a
}

// creation are the steps of a link by token.
func creation() []Step {
	return []Step{StepRecord, StepGrant, StepRedeem, StepTakeOver, StepConfigured, StepOperational, StepClean, StepConfirm}
}

// newLink plans a link of which nothing is known.
func (m *maker) newLink(c linkCase) {
	if foreign, ok := m.foreignLink(c); ok {
		m.foreignLinkOf(c, foreign)
		return
	}
	a := c.action
	a.Steps, a.Why = creation(), "declared and not on the cluster"
	a.Link.Attempt = m.freeAttempt(c)
	a.Fields = []Field{
		{Path: "from", To: string(c.From), Cause: CausePending},
		{Path: "to", To: string(c.To), Cause: CausePending},
		{Path: "cost", To: c.Cost, Cause: CausePending},
	}
	a.Link.Remove = m.leftovers(c, nil)
	m.add(a)
}

// freeAttempt gives the first attempt after the recorded one whose names are not
// taken by a Link, token or Secret; a taken name would burn the grant.
func (m *maker) freeAttempt(c linkCase) int {
	for attempt := c.recorded.Attempt + 1; ; attempt++ {
		if !m.taken(c.at, network.ObjectName(c.Name, attempt), m.groups(c.To)) {
			return attempt
		}
	}
}

// groups is how many Links a redemption at the site makes: two when it is HA.
func (m *maker) groups(site network.SiteName) int {
	if m.index.desired[site].Fields["ha"] == true {
		return 2
	}
	return 1
}

func (m *maker) taken(at place, object string, groups int) bool {
	if _, ok := m.index.secrets[at][object]; ok {
		return true
	}
	if _, ok := m.index.tokens[at][object]; ok {
		return true
	}
	names := network.LinkObjectNames(object)
	if groups == 1 {
		names = names[:1]
	}
	return slices.ContainsFunc(m.index.liveLinks[at], func(v LinkView) bool { return slices.Contains(names, v.Name) })
}

// elsewhere reports whether a Link that no inventory knows leads to another site
// than the wanted one, as far as the routers know: remoteSiteId is a Site's UID.
func (m *maker) elsewhere(c linkCase) bool {
	to := c.action.Link.To.UID
	return to == "" || c.action.Link.From.UID == "" || slices.ContainsFunc(c.own, func(v LinkView) bool {
		return v.RemoteSiteID != "" && v.RemoteSiteID != to
	})
}

// recordAgain plans for Links that carry our labels while no inventory knows them:
// those of the latest attempt stay.
func (m *maker) recordAgain(c linkCase) Action {
	a := c.action
	a.Verb, a.Cause = VerbUpdate, CauseDrift
	a.Why = "its inventory is missing and is written again"
	a.Steps = []Step{StepRecord, StepTakeOver, StepConfigured, StepClean, StepConfirm}
	for _, v := range c.own {
		a.Link.Attempt = max(a.Link.Attempt, attemptOf(c.Name, v.Name))
	}
	for _, v := range c.own {
		if attemptOf(c.Name, v.Name) != a.Link.Attempt {
			a.Link.Remove = append(a.Link.Remove, m.linkRefs(c.at, v, c.own)...)
			continue
		}
		a.Link.Live = append(a.Link.Live, LiveLink{Name: v.Name, UID: v.UID, Cost: v.Cost})
		if len(a.Fields) == 0 {
			a.Fields = costField(c.DesiredLink, nil, v)
		}
	}
	a.Link.Remove = append(a.Link.Remove, m.leftovers(c, nil)...)
	return a
}

var attemptSuffix = regexp.MustCompile(`^(?:-r([0-9]+))?(?:-[12])?$`)

// attemptOf reads the attempt from a Link's name; 1 when it is not of our making.
func attemptOf(link network.LinkName, object string) int {
	if len(object) < len(link) || object[:len(link)] != string(link) {
		return 1
	}
	found := attemptSuffix.FindStringSubmatch(object[len(link):])
	if found == nil || found[1] == "" {
		return 1
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		return 1
	}
	return n
}

// resume plans to finish an interrupted apply, with the same attempt where its
// ends are still the wanted ones.
func (m *maker) resume(c linkCase) Action {
	a := c.action
	a.Steps, a.Why = creation(), "an earlier apply was interrupted; this finishes it"
	a.Link.Attempt = c.recorded.Attempt
	moved := m.ends(c) != "" || m.dead(c)
	a.Link.Resume = !moved
	if moved {
		a.Link.Attempt = m.freeAttempt(c)
	}
	current := network.LinkObjectNames(network.ObjectName(c.Name, a.Link.Attempt))
	for _, v := range c.own {
		if slices.Contains(current, v.Name) {
			a.Link.Live = append(a.Link.Live, LiveLink{Name: v.Name, UID: v.UID, Cost: v.Cost})
			continue
		}
		a.Verb = VerbReplace
		a.Link.Remove = append(a.Link.Remove, m.linkRefs(c.at, v, c.own)...)
	}
	keep := func(r ObjectRef) bool { return !moved && m.ofAttempt(c, a.Link.Attempt, r) }
	a.Link.Remove = append(a.Link.Remove, m.leftovers(c, keep)...)
	if a.Verb == VerbReplace {
		a.Steps, a.Disruption = replacement(), DisruptionReplace
	}
	return a
}

// dead reports whether what an interrupted attempt made can never work: its CA or
// Secret is gone, or one Link of a pair and the token that would make it.
func (m *maker) dead(c linkCase) bool {
	if c.recorded.ToUID != "" && c.recorded.ToUID != c.action.Link.To.UID || m.secretGone(c.at, c.current) != "" {
		return true
	}
	_, coming := m.index.tokens[c.at][network.ObjectName(c.Name, c.recorded.Attempt)]
	return !coming && len(c.current) > 0 && len(c.current) < m.groups(c.To)
}

// replacement are the steps of a link that is made anew before the old one goes.
func replacement() []Step {
	return slices.Insert(creation(), 6, StepRetire)
}

// ofAttempt reports whether a grant, token or Secret belongs to the attempt.
func (m *maker) ofAttempt(c linkCase, attempt int, r ObjectRef) bool {
	if r.Kind != ObjectGrant {
		return r.Name == network.ObjectName(c.Name, attempt)
	}
	return r.Name == GrantName(m.network(), c.Name, attempt)
}

// GrantName names the AccessGrant of one attempt of a link. It has the network's
// name in it because networks may meet in a listening site's namespace.
func GrantName(net string, link network.LinkName, attempt int) string {
	return fmt.Sprintf("%s-%s-%d", net, link, attempt)
}

// appliedLink compares a link that was brought up before.
func (m *maker) appliedLink(c linkCase) {
	if why, cause := m.broken(c); why != "" {
		m.add(m.replace(c, why, cause))
		return
	}
	if a, needed := m.updateLink(c); needed {
		m.add(a)
	}
}

// ends says how the recorded listening end differs from the wanted one; empty
// when it does not.
func (m *maker) ends(c linkCase) string {
	to := c.action.Link.To
	switch {
	case c.recorded.To == c.To && c.recorded.ToUID != "" && c.recorded.ToUID == to.UID:
		return "" // the same Site, even when its cluster got another name
	case c.recorded.To != c.To:
		return fmt.Sprintf("its listening site changed from %s to %s", c.recorded.To, c.To)
	case c.recorded.ToCluster != to.Cluster || c.recorded.ToNamespace != to.Namespace:
		return fmt.Sprintf("site %s moved", c.To)
	}
	return ""
}

// broken says why an applied link needs new credentials; empty when it does not.
func (m *maker) broken(c linkCase) (why string, cause Cause) {
	to := c.action.Link.To
	if why := m.ends(c); why != "" {
		return why, CausePending
	}
	switch {
	case c.action.Link.From.UID == "":
		return fmt.Sprintf("site %s is made anew, and its Links went with the old one", c.From), CauseDrift
	case to.UID == "" || c.recorded.ToUID != "" && c.recorded.ToUID != to.UID:
		return fmt.Sprintf("site %s was made anew, so its CA no longer knows the link's certificate", c.To), CauseDrift
	case len(c.current) == 0:
		return "was applied before and is gone from the cluster", CauseDrift
	}
	if why, cause := m.readdressed(c); why != "" {
		return why, cause
	}
	return m.incomplete(c)
}

// readdressed says why a link's address is not, or will not be, its site's: the
// plan changes how the site listens, or the site has moved. A Link that was made
// by hand keeps the address that it was given.
func (m *maker) readdressed(c linkCase) (string, Cause) {
	if c.recorded.Adopted {
		return "", ""
	}
	if f, ok := m.listening(c.To); ok {
		return fmt.Sprintf("site %s changes how it listens (%s)", c.To, f.Path), f.Cause
	}
	if len(c.recorded.Objects) > 0 && len(c.recorded.Objects) != m.groups(c.To) {
		return fmt.Sprintf("site %s has %d routers now", c.To, m.groups(c.To)), CauseDrift
	}
	at := m.index.endpoints(c.action.Link.To)
	for _, v := range c.current {
		known := func(e string) bool { return slices.Contains(at, e) }
		if len(at) > 0 && len(v.Endpoints) > 0 && !slices.ContainsFunc(v.Endpoints, known) {
			return fmt.Sprintf("Link %q leads to an address that site %s no longer has", v.Name, c.To), CauseDrift
		}
	}
	return "", ""
}

// listening gives the field by which the plan changes a living site's endpoints.
func (m *maker) listening(site network.SiteName) (Field, bool) {
	for _, f := range m.siteFields["site/"+string(site)] {
		if f.Path == "ha" || f.Path == "linkAccess" && !isZero(f.From) && !isZero(f.To) {
			return f, true
		}
	}
	return Field{}, false
}

func (m *maker) incomplete(c linkCase) (string, Cause) {
	for _, name := range c.recorded.Objects {
		if !slices.ContainsFunc(c.current, func(v LinkView) bool { return v.Name == name }) {
			return fmt.Sprintf("Link %q is gone from the cluster", name), CauseDrift
		}
	}
	return m.secretGone(c.at, c.current), CauseDrift
}

// secretGone says which Link's Secret is not there; empty when all are.
func (m *maker) secretGone(at place, links []LinkView) string {
	for _, v := range links {
		if _, ok := m.index.secrets[at][v.TLSCredentials]; !ok && v.TLSCredentials != "" {
			return fmt.Sprintf("Secret %q with its credentials is gone from the cluster", v.TLSCredentials)
		}
	}
	return ""
}

// replace plans new credentials and a new Link under a new name. The old Link
// goes only when the new one is operational.
func (m *maker) replace(c linkCase, why string, cause Cause) Action {
	a := c.action
	a.Verb, a.Cause, a.Why = VerbReplace, cause, why
	a.Disruption, a.Steps = DisruptionReplace, replacement()
	if len(c.own) == 0 {
		a.Verb, a.Disruption, a.Steps = VerbCreate, DisruptionNone, creation()
	}
	a.Link.Attempt = m.freeAttempt(c)
	if c.known && c.recorded.To != c.To {
		a.Fields = append(a.Fields, Field{Path: "to", From: string(c.recorded.To), To: string(c.To), Cause: CausePending})
	}
	for _, v := range c.own {
		a.Link.Remove = append(a.Link.Remove, m.linkRefs(c.at, v, c.own)...)
	}
	a.Link.Remove = append(a.Link.Remove, m.leftovers(c, nil)...)
	return a
}

// updateLink compares cost, labels and leftovers.
func (m *maker) updateLink(c linkCase) (_ Action, needed bool) {
	a := c.action
	a.Verb = VerbUpdate
	relabel := false
	for _, v := range c.current {
		a.Link.Live = append(a.Link.Live, LiveLink{Name: v.Name, UID: v.UID, Cost: v.Cost})
		if len(a.Fields) == 0 {
			a.Fields = costField(c.DesiredLink, &c.recorded, v)
		}
		relabel = relabel || !v.Owned(m.network())
	}
	a.Link.Attempt = c.recorded.Attempt
	to := a.Link.To
	if c.recorded.Cost != c.Cost || c.recorded.ToUID != to.UID || c.recorded.ToCluster != to.Cluster || c.recorded.ToNamespace != to.Namespace {
		a.Steps = append(a.Steps, StepRecord)
	}
	if len(a.Fields) > 0 || relabel {
		a.Steps = append(a.Steps, StepTakeOver, StepConfigured)
	}
	a.Link.Remove = m.stale(c)
	if len(a.Link.Remove) > 0 {
		a.Steps = append(a.Steps, StepClean)
	}
	a.Cause, a.Why = m.whyUpdate(a, relabel)
	if len(a.Fields) > 0 {
		a.Disruption = DisruptionReconnect
	}
	return a, len(a.Steps) > 0
}

func (m *maker) whyUpdate(a Action, relabel bool) (Cause, string) {
	switch {
	case len(a.Fields) > 0:
		return mergeCauses(a.Fields, CausePending), changed(a.Fields)
	case relabel:
		return CauseDrift, "its labels were taken off"
	case len(a.Link.Remove) > 0:
		return CauseDrift, "an earlier apply left something behind"
	}
	return CausePending, "already as declared; the inventory catches up"
}

func costField(l DesiredLink, recorded *InventoryLink, v LinkView) []Field {
	live := max(v.Cost, 1) // Skupper counts a cost below 1 as 1
	if live == l.Cost {
		return nil
	}
	cause := CausePending
	if recorded != nil {
		cause = causeOf(l.Cost, recorded.Cost, live, true)
	}
	return []Field{{Path: "cost", From: live, To: l.Cost, Cause: cause}}
}
