package report

import (
	"fmt"
	"strings"

	"fairlead.dev/fairlead/plan"
)

// ruleText describes a kind of notice to people who meet it in a forge. Its id is stable.
type ruleText struct {
	id string
	// short names it in a few words, full says what it means, help what to do.
	short, full, help string
}

// ruleWords are a rule's texts without its id.
type ruleWords struct{ short, full, help string }

// ruleOf describes a rule; one that is not in the tables gets words made of its id.
func ruleOf(id string) ruleText {
	family, code, found := strings.Cut(id, "/")
	if !found {
		return ruleFrom(id, findingWords[id], plain(id), "What the description says is wrong or odd.", "Correct the description and run: fairlead vet")
	}
	switch family {
	case "plan":
		verb, kind, _ := strings.Cut(code, "-")
		full := fmt.Sprintf("Applying the plan would %s %s: %s", verb, one(kind), verbWords[verb])
		return ruleText{id, verb + " " + one(kind), full, "Read the plan before it is applied: fairlead plan"}
	case "drift":
		return ruleText{id, "drift of " + one(code), fmt.Sprintf("What a cluster holds of %s is not as it was last applied.", one(code)),
			"To heal it run fairlead apply; to keep it write it into the description."}
	case "cluster":
		return ruleText{id, "a cluster is " + code, "The cluster could not be read in full, so nothing about it is planned.",
			"Look at its kubeconfig, its API server and the rights (fairlead rbac), or go on without it: --allow-partial"}
	case "effect":
		return ruleFrom(id, effectWords[code], plain(code), "The change does this to the network.", "See what fails then: fairlead simulate")
	case "refused":
		return ruleFrom(id, refusalWords[code], plain(code), "A rule keeps the plan from being applied.", "The plan shows what to do, or the flag that goes ahead.")
	case "live":
		return ruleFrom(id, liveWords[code], plain(code), "This is so on the clusters, and no description shows it.", "Look closer with: fairlead status")
	}
	return ruleFrom(id, ruleWords{}, plain(code), "Fairlead found this.", "Run the command by hand to see more.")
}

func ruleFrom(id string, w ruleWords, short, full, help string) ruleText {
	r := ruleText{id, short, full, help}
	if w.short != "" {
		r.short = w.short
	}
	if w.full != "" {
		r.full = w.full
	}
	if w.help != "" {
		r.help = w.help
	}
	return r
}

// one puts an article before a kind.
func one(kind string) string {
	if kind == string(plan.KindObject) {
		return "an " + kind
	}
	return "a " + kind
}

// plain makes words of a code.
func plain(code string) string { return strings.ReplaceAll(code, "-", " ") }

var verbWords = map[string]string{
	"create":  "it is declared and not on the cluster.",
	"update":  "it is there and differs from the description.",
	"replace": "what cannot change in place is made anew, and the old one goes when the new one carries traffic.",
	"delete":  "it is on the cluster and no longer declared.",
	"adopt":   "it was made by hand and is taken over as it is.",
}

// effectWords are consequences for traffic; plan and plan/topology have the codes.
var effectWords = map[string]ruleWords{
	"connection-lost":     {"sites lose their last path", "Sites that could reach each other no longer can.", "Keep a link between them, or make sure that no traffic needs it."},
	"sites-removed":       {"sites go", "Sites leave the network, with what they offer.", "Make sure that nothing needs them."},
	"links-removed":       {"links go", "Links between sites leave the network.", "Look at which paths are dearer or have nothing beside them then."},
	"connection-gained":   {"sites gain a path", "Sites that could not reach each other can.", "Make sure that they may."},
	"sites-added":         {"sites come", "Sites join the network.", ""},
	"links-added":         {"links come", "Links between sites join the network.", ""},
	"single-point-gained": {"a new single point of failure", "When this one site or link fails, others are cut off from each other.", "Add a second path around it."},
	"single-point-lost":   {"a single point of failure less", "Nothing hangs on this one site or link alone any more.", ""},
	"only-path-gained":    {"nothing beside the only path", "The path between sites has no other beside it any more.", "Add a second path."},
	"only-path-lost":      {"a second path", "The path between sites has another beside it now.", ""},
	"cost-raised":         {"a path gets dearer", "The cheapest path between sites costs more than before.", "Make sure that traffic may take the other way."},
	"cost-lowered":        {"a path gets cheaper", "The cheapest path between sites costs less than before.", ""},
	"ties-gained":         {"several cheapest paths", "Several paths cost the same, and routers choose among them.", "Give them different costs if it matters which one is used."},
	"links-unused":        {"links that nothing uses", "The links are on no cheapest path and are used only when others fail.", ""},
	"links-used":          {"links that are used now", "Links that were there for failures only are on a cheapest path now.", ""},
	"service-lost":        {"a service is gone", "Nothing listens on a host and port any more, or no site offers a routing key.", "Keep the Listener or Connector, or make sure that nothing needs it."},
	"service-moved":       {"a service leads elsewhere", "A host and port leads to another routing key, or fewer sites offer a routing key.", "Make sure that traffic may go there."},
	"links-down":          {"links that are down", "The links are down before and after: no change brings them up.", "Look at the sites at both ends and the way between them."},
	"taken-over":          {"what runs already is taken over", "Sites and links that somebody made become the network's, as they run.", ""},
	"paths-not-compared":  {"paths were not compared", "The network is too large to compare every path.", ""},
	"other":               {"what it does to the network", "", ""},
}

// refusalWords are of the rules that keep a plan from being applied.
var refusalWords = map[string]ruleWords{
	"deletes.sites":       {"too many sites would go", "The plan deletes more sites than the policy allows at once.", "Check that the right description is read; if it is meant, pass the flag that the plan shows."},
	"deletes.links":       {"too many links would go", "The plan deletes more links than the policy allows at once.", "Check that the right description is read; if it is meant, pass the flag that the plan shows."},
	"deletes.objects":     {"too many objects would go", "The plan deletes more objects of overlays than the policy allows at once.", "Check that the overlays give what they should; if it is meant, pass the flag that the plan shows."},
	"partition":           {"sites would be cut off", "The plan takes away the last path between sites that stay.", "Keep a path between them; if it is meant, pass the flag that the plan shows."},
	"cluster-left":        {"a cluster with sites is described no more", "The network still has sites on a cluster that the description does not name.", "Describe it again without its sites, apply, and take it out then; if it is lost, pass the flag that the plan shows."},
	"cluster-changed":     {"a cluster is another one", "The name of a cluster leads to another cluster than it did, or than the description pins.", "Correct how it is reached; if the cluster was made anew, pass the flag that the plan shows, and pin its new uid."},
	"cluster-emptied":     {"the last site of a cluster would go", "The plan deletes every site that the network has on a cluster.", "Check that the right description is read; if it is meant, pass the flag that the plan shows."},
	"protected":           {"a protected site would go", "The site was declared with protect: true and may not be deleted.", "Declare it with protect: false, apply that, and remove it then."},
	"foreign-site":        {"a Site that is not Fairlead's", "Something else made a Site where one is declared.", "Take it over with fairlead apply --adopt, or use another namespace."},
	"foreign-link":        {"a Link that is not Fairlead's", "Something else made a Link of a name that is declared.", "Take it over with fairlead apply --adopt, or use another name."},
	"foreign-object":      {"an object that is not Fairlead's", "Something else made an object of a name that an overlay has.", "Take it over with fairlead apply --adopt, or use another name."},
	"broken-inventory":    {"an inventory that cannot be read", "The record of what was applied in a namespace is damaged.", "Restore the ConfigMap, or delete it: what is live is then taken as it is."},
	"same-cluster":        {"two names for one cluster", "Two clusters of the description are one and the same.", "Check the contexts of your kubeconfig."},
	"unsupported-version": {"Skupper is too old", "The Skupper version on a cluster cannot do what is declared.", "Update Skupper there, or leave out what needs it."},
	"mixed-versions":      {"two versions of one kind", "Overlays give objects of one kind in two API versions.", "Use one apiVersion for all of them."},
	"unknown-kind":        {"a kind that the cluster does not have", "An overlay has an object of a kind that the cluster does not know.", "Install its definition there, or take it out of the overlay."},
	"cluster-scoped":      {"an object of the whole cluster", "An overlay has an object that belongs to no namespace.", "Take it out of the overlay."},
}

// liveWords are of facts about how the network runs.
var liveWords = map[string]ruleWords{
	"link-down":            {"a link is down", "The routers report that the link is not operational.", "Look at both sites and at what is between them."},
	"link-unknown":         {"a link of which nothing is known", "Nothing that can be read says whether the link is up.", "Look again in a minute, then at the routers' report and at Skupper's controller."},
	"link-cost":            {"a link has another cost", "The routers use another cost than the Link says.", ""},
	"endpoint-moved":       {"an endpoint moved", "The listening site has other endpoints than the Link holds.", "Run fairlead apply."},
	"certificate-expiring": {"a certificate ends soon", "The certificate of a link ends soon.", "Raise the link's rotation and apply."},
	"certificate-expired":  {"a certificate ended", "The certificate of a link is no longer valid.", "Raise the link's rotation and apply."},
	"ca-mismatch":          {"credentials of another CA", "The link was made for a listening site that has been made anew since.", "Run fairlead apply."},
	"unmanaged-link":       {"a link that Fairlead does not own", "A Link on a site of the network was made by something else.", "Take it over with fairlead apply --adopt, or delete it."},
	"leftover":             {"something left over", "An object of an earlier apply is still there.", "Run fairlead apply."},
	"grant-left-open":      {"a grant that can be redeemed", "A grant of an earlier apply is still open.", "Run fairlead apply."},
	"unmanaged-grant":      {"an open grant that Fairlead did not make", "A grant at a site of the network can be redeemed, and no apply made it.", "Find out who has its code, or delete it."},
	"unmanaged-site":       {"a site that no description shows", "A site is linked with the network and no description shows it.", "Describe it, or find out who linked it."},
	"site-not-ready":       {"a site is not ready", "The Site is there and its controller does not report it ready.", ""},
	"cluster-left":         {"a cluster with sites is described no more", "The network still has sites on a cluster that the description does not name.", "Describe it again without its sites, apply, and take it out then."},
	"cluster-changed":      {"a cluster is another one", "The name of a cluster leads to another cluster than it did, or than the description pins.", "Correct how it is reached."},
	"inventory-lost":       {"an inventory is gone", "What was last applied there is not known.", "Look at the plan and apply: that writes it again."},
}
