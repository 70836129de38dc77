package planner

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/record"
	"fairlead.dev/fairlead/plan/world"
	"fairlead.dev/fairlead/schema/network"
)

// plan plans what the description's links need.
func (m linkPlanner) plan() {
	for _, l := range m.in.Desired.Links {
		from, to := m.world.Desired[l.From], m.world.Desired[l.To]
		if m.unseen(l) {
			m.unknown++
			continue
		}
		m.link(l, from, to)
	}
}

// linkCase is one desired link with all that was found out about it.
type linkCase struct {
	m *maker
	plan.DesiredLink
	world.RecordedLink
	// own are Links that are ours, current those of the recorded attempt.
	own, current []world.LinkView
	// proxy is the Secret that its Links have to name; empty for a direct link.
	proxy string
	// back is true where an earlier apply began to make the link anew, and the description
	// wants it as it was last applied, or otherwise.
	back   bool
	action plan.Action
}

func (m linkPlanner) link(l plan.DesiredLink, from, to plan.DesiredSite) {
	c := m.examine(l, from, to)
	if !c.supported() {
		return
	}
	m.proxies.throughProxy(&c)
	m.heedIntent(&c)
	switch {
	case !c.Known && len(c.own) > 0:
		m.unrecordedLink(c)
	case !c.Known:
		m.newLink(c)
	case len(m.strangers(c)) > 0:
		m.refuseLink(c, m.strangers(c)[0])
	case c.Recorded.State == record.LinkUnderWay:
		m.add(m.resume(c))
	default:
		m.appliedLink(c)
	}
}

// examine finds out about a link, and begins its action.
func (m linkPlanner) examine(l plan.DesiredLink, from, to plan.DesiredSite) linkCase {
	c, fromUID := m.find(l, from)
	c.action = m.linkAction(l, from, to, fromUID)
	c.action.Link.Seen = liveLinks(c.own)
	return c
}

// find looks for the Links of a link, and for the UID of its connecting Site.
func (m linkPlanner) find(l plan.DesiredLink, from plan.DesiredSite) (c linkCase, fromUID string) {
	at := from.Place()
	c = linkCase{m: m.maker, DesiredLink: l, RecordedLink: m.world.RecordOf(at, l.Name)}
	fromUID = m.world.SiteUID(at, l.From)
	c.own = m.world.OwnLinks(c.RecordedLink, fromUID)
	names := network.LinkObjectNames(network.ObjectName(l.Name, c.Recorded.Attempt))
	for _, v := range c.own {
		if slices.Contains(names, v.Name) || slices.Contains(c.Recorded.Objects, v.Name) {
			c.current = append(c.current, v)
		}
	}
	return c, fromUID
}

func (m linkPlanner) linkAction(l plan.DesiredLink, from, to plan.DesiredSite, fromUID string) plan.Action {
	a := plan.Action{
		ID: "link/" + string(l.Name), Kind: plan.KindLink, Verb: plan.VerbCreate, Cause: plan.CausePending,
		Cluster: from.Cluster, Namespace: from.Namespace, Name: string(l.Name),
		DeclaredAt: l.DeclaredAt, Disruption: plan.DisruptionNone,
		Link: &plan.LinkWork{
			From: plan.End{Site: l.From, Object: from.Object, Cluster: from.Cluster, Namespace: from.Namespace, UID: fromUID},
			To: plan.End{Site: l.To, Object: to.Object, Cluster: to.Cluster, Namespace: to.Namespace,
				UID: m.world.SiteUID(to.Place(), l.To)},
			Groups: m.endpoints.groups(l.To), Cost: l.Cost, Via: l.Via, Proxy: l.Proxy, Rotation: l.Rotation,
		},
	}
	for _, s := range []plan.DesiredSite{from, to} {
		// A site that only stops listening can connect before and after: its own new link
		// may have to be up before it closes.
		if m.has(siteID(s)) && (s.Name == to.Name || !m.closing[siteID(s)]) {
			a.DependsOn = append(a.DependsOn, siteID(s))
		}
	}
	return a
}

// creation are the steps of a new link.
func creation(via network.Via) []plan.Step {
	making := []plan.Step{plan.StepGrant, plan.StepRedeem}
	if via == network.ViaCertificate {
		making = []plan.Step{plan.StepCertificate, plan.StepCarry, plan.StepLink}
	}
	return slices.Concat([]plan.Step{plan.StepRecord}, making, []plan.Step{plan.StepTakeOver, plan.StepConfigured, plan.StepOperational, plan.StepClean, plan.StepConfirm})
}

// newLink plans a link of which nothing is known.
func (m linkPlanner) newLink(c linkCase) {
	if foreign := m.foreignLinks(c); len(foreign) > 0 {
		m.foreignLinkOf(c, foreign)
		return
	}
	a := c.action
	a.Steps, a.Why = creation(c.Via), plan.WhyNew
	a.Link.Attempt = m.freeAttempt(c)
	a.Fields = []plan.Field{
		{Path: "from", To: string(c.From), Cause: plan.CausePending},
		{Path: "to", To: string(c.To), Cause: plan.CausePending},
		{Path: "cost", To: c.Cost, Cause: plan.CausePending},
		{Path: "via", To: string(c.Via), Cause: plan.CausePending},
	}
	if c.Proxy != "" {
		a.Fields = append(a.Fields, plan.Field{Path: "proxy", To: string(c.Proxy), Cause: plan.CausePending})
	}
	a.Link.Remove = append(m.remains.removal(c, m.remains.late(c)), m.remains.leftovers(c, nil)...)
	m.add(a)
}

// freeAttempt gives the first attempt after the recorded one whose names are not
// taken by a Link, token or Secret; a taken name would burn the grant.
func (m linkPlanner) freeAttempt(c linkCase) int {
	used := c.Recorded.Attempt
	for _, v := range c.own { // an inventory may be lost; its Links tell what was used
		used = max(used, attemptOf(c.Name, v.Name), attemptOf(c.Name, v.TLSCredentials))
	}
	for attempt := used + 1; ; attempt++ {
		if !m.world.Taken(c.At, network.ObjectName(c.Name, attempt), m.endpoints.groups(c.To)) && !m.takenThere(c, attempt) {
			return attempt
		}
	}
}

// groups is how many Links a redemption at the site makes: two when it is HA.
func (m endpointGroups) groups(site network.SiteName) int {
	if m.Desired[site].Fields["ha"] == true {
		return 2
	}
	return 1
}

// takenThere reports whether the listening site's namespace has a Secret of the name
// that a Certificate of the attempt would give its own, or such a Certificate that goes.
func (m linkPlanner) takenThere(c linkCase, attempt int) bool {
	to := c.action.Link.To.Place()
	name := plan.GrantName(m.network(), c.Name, attempt)
	_, secret := m.world.Secrets[to][name]
	return c.Via == network.ViaCertificate && (secret || m.world.Certificates[to][name].Deleting)
}

// unrecordedLink plans for Links that carry our labels while no inventory knows them.
func (m linkPlanner) unrecordedLink(c linkCase) {
	if why, cause := c.anew(unrecordedReasons); why != "" {
		m.add(m.replace(c, why, cause))
	} else if a := m.recordAgain(c); m.editable(c, a.Fields) {
		m.add(a)
	}
}

// elsewhere reports whether a Link that no inventory knows leads to another site
// than the wanted one, as far as the routers know: remoteSiteId is a Site's UID.
func (c linkCase) elsewhere() bool {
	to := c.action.Link.To.UID
	return to == "" || c.action.Link.From.UID == "" || slices.ContainsFunc(c.own, func(v world.LinkView) bool {
		return v.RemoteSiteID != "" && v.RemoteSiteID != to
	})
}

// recordAgain takes Links that no inventory knows into a new one:
// those of one set of credentials stay, and others go once these carry traffic.
func (m linkPlanner) recordAgain(c linkCase) plan.Action {
	a := c.action
	a.Verb, a.Cause = plan.VerbUpdate, plan.CauseDrift
	a.Why = "its inventory is missing and is written again"
	a.Steps = []plan.Step{plan.StepRecord, plan.StepTakeOver, plan.StepConfigured, plan.StepClean, plan.StepConfirm}
	var going []world.LinkView
	keep := c.bestCredentials()
	c.current = nil
	for _, v := range c.own {
		a.Link.Attempt = max(a.Link.Attempt, attemptOf(c.Name, v.Name))
		if v.TLSCredentials != keep {
			going = append(going, v)
			continue
		}
		c.current = append(c.current, v)
		a.Link.Adopted = a.Link.Adopted || v.Noted.Adopted
		a.Link.Live = append(a.Link.Live, liveLink(v))
		if len(a.Fields) == 0 {
			a.Fields = costField(c.DesiredLink, nil, v)
		}
	}
	for _, v := range c.current {
		if f, moved := c.addressField(v); moved && !a.Link.Adopted && !a.Link.Reconnect {
			a.Fields, a.Link.Reconnect = append(a.Fields, f), true
		}
	}
	if len(going) > 0 {
		a.Steps = slices.Insert(a.Steps, 3, plan.StepOperational)
	}
	a.Link.Remove = append(m.remains.removal(c, going), m.remains.leftovers(c, c.certificateOf(c.credentials()))...)
	c.Recorded.Adopted = a.Link.Adopted
	m.eachRouter(c, &a)
	if a.Link.Routers > 0 {
		a.Steps = c.updateSteps(a, true)
	}
	return a
}

// relistens says that the plan changes the address or the CA of Links that no inventory
// knows. Those that were made by hand keep the address that they were given.
func (c linkCase) relistens() string {
	_, changes := c.m.links.listening(c.To)
	if !changes || slices.ContainsFunc(c.own, func(v world.LinkView) bool { return v.Noted.Adopted }) {
		return ""
	}
	return fmt.Sprintf("its inventory is missing, and site %s changes how it listens", c.To)
}

// strayed says that Links which no inventory knows lead to no address of their site;
// empty when they do not, or were made by hand.
func (c linkCase) strayed() string {
	keep := c.bestCredentials()
	c.current = nil
	for _, v := range c.own {
		c.Recorded.Adopted = c.Recorded.Adopted || v.Noted.Adopted
		if v.TLSCredentials == keep {
			c.current = append(c.current, v)
		}
	}
	if why, _ := c.readdressed(); why != "" {
		return "its inventory is missing, and " + why
	}
	return ""
}

// bestCredentials names the Secret of the Links to keep where nothing tells which
// were meant: of those that are operational, or else of all, the latest.
func (c linkCase) bestCredentials() string {
	best, works, latest := "", false, -1
	for _, v := range c.own {
		attempt := attemptOf(c.Name, v.TLSCredentials)
		if best == "" || v.Works() && !works || v.Works() == works && attempt > latest {
			best, works, latest = v.TLSCredentials, v.Works(), attempt
		}
	}
	return best
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

// appliedLink compares a link that was brought up before.
func (m linkPlanner) appliedLink(c linkCase) {
	if why, cause := c.anew(appliedReasons); why != "" {
		m.add(m.replace(c, why, cause))
		return
	}
	left := m.Left
	a, needed := m.updateLink(c)
	if v, old := m.world.TooOld(c.At, c.From); old && a.Link.Reconnect {
		m.Left = left // a new Link has the cost that is described
		m.add(m.replace(c, fmt.Sprintf("site %s has other endpoints now, which Skupper %s takes up in a new Link only", c.To, v), plan.CauseDrift))
		return
	}
	if needed && m.editable(c, a.Fields) {
		m.add(a)
	}
}

// supported refuses a link through a proxy where the controller knows no proxies.
func (c linkCase) supported() bool {
	v, old := c.m.world.TooOld(c.At, c.From)
	if c.Proxy == "" || !old {
		return true
	}
	c.m.refuse(plan.Refusal{
		Code: "unsupported-version", Subject: fmt.Sprintf("link %q", c.Name),
		Message:  fmt.Sprintf("goes through proxy %s, which Skupper %s at site %s does not know; it takes 2.2.0", c.Proxy, v, c.From),
		Override: fmt.Sprintf("upgrade Skupper on cluster %s, or link without a proxy", c.At.Cluster),
	})
	return false
}

// editable refuses to change a living Link where the change would not reach the
// router.
func (m linkPlanner) editable(c linkCase, fields []plan.Field) bool {
	v, old := m.world.TooOld(c.At, c.From)
	edits := slices.DeleteFunc(slices.Clone(fields), func(f plan.Field) bool { return f.Path != "cost" })
	if len(edits) == 0 || !old {
		return true
	}
	m.refuse(plan.Refusal{
		Code: "unsupported-version", Subject: fmt.Sprintf("link %q", c.Name),
		Message:  fmt.Sprintf("a changed %s does not reach the router with Skupper %s at site %s; it takes 2.2.0", edits[0].Path, v, c.From),
		Override: fmt.Sprintf("upgrade Skupper on cluster %s, or replace the link by raising its rotation", c.At.Cluster),
	})
	return false
}
