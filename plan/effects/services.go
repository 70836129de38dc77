package effects

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"fairlead.dev/fairlead/plan"
	"fairlead.dev/fairlead/plan/words"
	"fairlead.dev/fairlead/schema/network"
)

// service is what one listener or connector is for, as its applications know it. All but
// one of address, key and workload are empty in what identifies it.
type service struct {
	// address is the port that a listener serves, and of which host, in words.
	address string
	// key is the routing key that a connector offers.
	key string
	// workload is the name of an attached connector, whose binding has the key.
	workload string
}

// serviceOf reads the fields of a listener or connector, and to what a listener leads.
func serviceOf(kind plan.ObjectKind, name string, fields map[string]any) (s service, leads string) {
	field := func(path string) string {
		if v, ok := fields["spec."+path]; ok {
			return fmt.Sprint(v)
		}
		return ""
	}
	switch kind {
	case plan.ObjectListener:
		return service{address: "port " + field("port") + " of " + field("host")}, field("routingKey")
	case plan.ObjectMultiKeyListener:
		return service{address: "port " + field("port") + " of " + field("host")}, ""
	case plan.ObjectAttachedConnector:
		return service{workload: name}, ""
	}
	return service{key: field("routingKey")}, ""
}

// serviceChange is what happens to one service, and at which sites.
type serviceChange struct {
	service
	// was and is are the routing keys that a listener leads to; both empty where the
	// service goes.
	was, is string
}

// services says what the actions do to the services of the sites that stay, the worst
// first. A service that another object of the site takes over is not lost.
func (o Outcome) services() []plan.Effect {
	wanted := o.wantedServices()
	found := map[serviceChange][]network.SiteName{}
	for _, a := range o.actions {
		if !a.CarriesTraffic() || a.Object.Observed == nil {
			continue
		}
		site := a.Object.Site
		if _, stays := o.World.Desired[site]; !stays {
			continue // told with the site
		}
		was, ledTo := serviceOf(a.Object.Kind, a.Name, a.Object.Observed)
		leads, still := wanted[site][was]
		change := serviceChange{service: was, was: ledTo, is: leads}
		switch {
		case !still:
			change.was, change.is = "", ""
		case ledTo == "" || leads == "" || ledTo == leads:
			continue
		}
		found[change] = append(found[change], site)
	}
	return wordedServices(found, wanted)
}

// wantedServices are the services of each site as described, and to what each leads.
func (o Outcome) wantedServices() map[network.SiteName]map[service]string {
	out := map[network.SiteName]map[service]string{}
	for _, d := range o.World.Wanted.Objects {
		if plan.Carries(d.APIVersion, d.Kind) {
			s, leads := serviceOf(d.Kind, d.Name, d.Fields)
			if out[d.Site] == nil {
				out[d.Site] = map[service]string{}
			}
			out[d.Site][s] = leads
		}
	}
	return out
}

// mostSites is how many sites a sentence about services spells out.
const mostSites = 3

// wordedServices words changes of services, those of one kind at several sites in one sentence.
func wordedServices(found map[serviceChange][]network.SiteName, wanted map[network.SiteName]map[service]string) []plan.Effect {
	var out []plan.Effect
	for change, sites := range found {
		slices.Sort(sites)
		sites = slices.Compact(sites)
		e := plan.Effect{Severity: "high", Code: plan.ServiceLost, Sites: sites, Links: []network.LinkName{}}
		others := offered(wanted, change.service)
		if change.is != "" || change.key != "" && others {
			e.Code, e.Severity = plan.ServiceMoved, "medium"
		}
		e.Message = change.sentence(words.Some(sites, mostSites), others)
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b plan.Effect) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Message, b.Message)) // "high" comes first
	})
	return out
}

// sentence says what happens at sites; others tells that the service stays at other ones.
func (c serviceChange) sentence(sites string, others bool) string {
	switch {
	case c.is != "":
		return fmt.Sprintf("P%s leads to %s, was %s, at %s", c.address[1:], c.is, c.was, sites)
	case c.address != "":
		return fmt.Sprintf("Nothing listens on %s any more at %s", c.address, sites)
	case c.workload != "":
		return fmt.Sprintf("The attached connector %s is gone at %s", c.workload, sites)
	case others:
		return fmt.Sprintf("The routing key %s is no longer offered at %s; other sites offer it", c.key, sites)
	}
	return fmt.Sprintf("The routing key %s is no longer offered by any overlay; it was at %s", c.key, sites)
}

// offered reports whether any site still has the service.
func offered(wanted map[network.SiteName]map[service]string, s service) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(wanted)), func(site map[service]string) bool {
		_, ok := site[s]
		return ok
	})
}

// worstFirst joins effects, those of one severity in the order that they have.
func worstFirst(lists ...[]plan.Effect) []plan.Effect {
	ranks := []string{"high", "medium", "low"}
	return slices.SortedStableFunc(slices.Values(slices.Concat(lists...)), func(a, b plan.Effect) int {
		return cmp.Compare(slices.Index(ranks, a.Severity), slices.Index(ranks, b.Severity))
	})
}
