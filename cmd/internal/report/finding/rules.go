package finding

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

// findingWords are those of findings: of the description, and of what a plan meets.
var findingWords = map[string]ruleWords{
	"syntax":               {"not CUE", "The file is not valid CUE.", ""},
	"evaluation":           {"cannot be evaluated", "CUE cannot evaluate the value.", ""},
	"incomplete":           {"not concrete", "The value is not settled: it has a type or a choice, and no value.", "Give the value."},
	"import":               {"an import that cannot be resolved", "An imported package is not there, or cannot be read.", ""},
	"unused-import":        {"an import that nothing uses", "", "Remove the import."},
	"module-file":          {"a module file that cannot be read", "The file cue.mod/module.cue is wrong.", ""},
	"no-files":             {"no description", "There is no CUE file of the package in the directory.", "Name the directory that holds the description."},
	"no-package":           {"no package", "No file is of the package that was asked for.", ""},
	"file-left-out":        {"a file that is not read", "A CUE file lies beside those of the description and is no part of it.", "Make it one, or move it away."},
	"schema-copy":          {"another version's schema", "The copy of Fairlead's schema in cue.mod is not the one of this program.", "Renew it: fairlead init --update-schema"},
	"several-packages":     {"several packages", "The directory holds files of several packages.", "Name one of them: DIR:PACKAGE."},
	"unknown-tag":          {"an unknown tag", "No field takes the tag that was given.", ""},
	"tag-value":            {"a wrong value of a tag", "The value of a tag is not of the type that the field wants.", ""},
	"internal":             {"an internal error", "The evaluation broke down.", "Report it with the description that causes it."},
	"missing-field":        {"a field is missing", "A field that has to be there is not.", ""},
	"unknown-field":        {"an unknown field", "The schema has no such field.", ""},
	"wrong-type":           {"a wrong type", "The value is of another type than the field.", ""},
	"not-a-choice":         {"not one of the choices", "The field takes one of a few values, and this is none of them.", ""},
	"out-of-bounds":        {"out of bounds", "The value is outside of what the field allows.", ""},
	"cost-range":           {"a cost out of range", "The cost of a link is a whole number from 1.", ""},
	"port-range":           {"a port out of range", "A port is a whole number from 1 to 65535.", ""},
	"rotation-range":       {"a rotation out of range", "The rotation of a link counts from 1.", ""},
	"deletes-range":        {"a limit out of range", "The limit of deletes is a number, or a share up to 100.", ""},
	"plan-expiry":          {"no duration", "The expiry of saved plans is a duration above zero.", `Write hours and minutes, such as "72h".`},
	"signers":              {"keys that cannot be used", "A file of trusted keys is missing, wrong or outside of the repository.", ""},
	"dirty":                {"not as committed", "The policy asks for a clean work tree; a plan of this one is refused.", "Commit it, or take it away."},
	"unsigned":             {"not signed", "The policy asks for a signed commit; a plan of this one is refused.", "Sign the commit with one of the keys."},
	"unresolved-reference": {"a reference to nothing", "The name that is referred to is not there.", ""},
	"conflicting-values":   {"contradicting values", "The field has more than one value.", "Keep one of them."},
	"network-name":         {"a wrong name of the network", "The name of the network is a DNS label.", ""},
	"cluster-name":         {"a wrong name of a cluster", "The name of a cluster is a DNS label.", ""},
	"site-name":            {"a wrong name of a site", "The name of a site is a DNS label.", ""},
	"link-name":            {"a wrong name of a link", "The name of a link is a DNS label.", ""},
	"proxy-name":           {"a wrong name of a proxy", "The name of a proxy is a DNS label.", ""},
	"object-name":          {"a wrong name of an object", "The name of the object on the cluster cannot be used.", ""},
	"cluster-uid":          {"a wrong UID of a cluster", "The UID of a cluster is that of its namespace kube-system, or of another namespace with its name.", ""},
	"namespace-name":       {"a wrong name of a namespace", "The name of a namespace is a DNS label.", ""},
	"reserved-name":        {"a reserved name", "The name belongs to the router, or to Fairlead itself.", "Choose another name."},
	"name-clash":           {"names that clash", "The objects of two links would have the same name.", "Rename one of them."},
	"namespace-shared":     {"two sites in one namespace", "A namespace holds one site.", "Give each site a namespace of its own."},
	"unknown-cluster":      {"no such cluster", "A site names a cluster that is not declared.", ""},
	"unknown-site":         {"no such site", "A link names a site that is not declared.", ""},
	"unknown-proxy":        {"no such proxy", "A link names a proxy that is not declared.", ""},
	"ignore-path":          {"a wrong path of a rule", "The path of a rule that ignores drift has another form.", ""},
	"ignore-reason":        {"a rule without a reason", "A rule that ignores drift says why it is there.", ""},
	"ignore-unused":        {"a rule for nothing", "The rule that ignores drift covers nothing that is declared.", "Remove it."},
	"no-sites":             {"no site", "The description has no site, and an apply removes everything.", "Check that the right description is read, with all of its files."},
	"unused-cluster":       {"a cluster without sites", "No site is in the cluster.", ""},
	"unused-proxy":         {"a proxy without links", "No link uses the proxy.", ""},
	"site-setting":         {"a setting that Skupper does not heed", "Nothing in Skupper reads the setting of the Site, or it changes nothing.", ""},
	"self-link":            {"a link to itself", "Both ends of the link are the same site.", ""},
	"duplicate-ends":       {"two links between the same sites", "Routers use only one of them at a time.", ""},
	"edge-listens":         {"an edge site that listens", "An edge site cannot accept links.", ""},
	"edge-ha":              {"an edge site that is HA", "An edge site has one router.", ""},
	"cluster-access":       {"contradicting ways to a cluster", "The fields that say how a cluster is reached exclude each other.", ""},
	"proxy-host":           {"no host", "The host of a proxy is a name or address alone.", ""},
	"proxy-credentials":    {"a password or a name alone", "A proxy has a username without a password, or a password without a username.", "Give both, or neither for an anonymous proxy."},
	"secret-reference":     {"a wrong secret reference", "A secret is named by exactly one source.", ""},
	"secret-in-clear":      {"a secret in clear", "A secret is written where its reference belongs; it is not shown.", "Say where it is kept, and change it if it was committed."},
	"unreachable-site":     {"a site that no link reaches", "The site is not connected with the rest of the network.", ""},
	"overlay":              {"an overlay that cannot be used", "The kustomization cannot be run, or gives something that may not be there.", ""},
	"repeated-key":         {"a key that is there twice", "A mapping in a file of an overlay has a key twice, and only one of them would count.", ""},
	"overlay-aliases":      {"aliases of YAML that multiply", "Aliases in a file of an overlay come to far more than the file, or an alias is in what it stands for.", ""},
	"overlay-empty":        {"a file of an overlay without content", "A file that an overlay reads has nothing in it.", ""},
	"overlay-documents":    {"a kustomization of several documents", "Kustomize reads the first document of a kustomization and drops the others.", "Keep one document, or make each a kustomization of its own."},
	"overlay-deprecated":   {"a deprecated field of kustomize", "A kustomization uses a field that a later kustomize does not know.", ""},
	"overlay-no-target":    {"a patch without a target", "The target of a patch or replacement fits no object, so it changes nothing.", ""},
	"not-content":          {"a pointer instead of a file", "Git LFS keeps the file elsewhere, and only its pointer is there.", ""},
	"unknown-kind":         {"a kind that the cluster does not have", "An object of this kind was applied, and the cluster does not know the kind any more.", ""},
	"kind-unread":          {"a kind that may not be read", "A record names an object of this kind, and the kind may not be read there.", "Plan once with the right to list it, or look who wrote the record."},
	"inventory-lost":       {"an inventory is gone", "What was last applied there is not known.", "Look at the plan and apply: that writes it again."},
	"clusters-swapped":     {"clusters that may be swapped", "Each of the clusters has the sites that are described in another one of them.", "Exchange their contexts."},
	"lease-unread":         {"a Lease that was not read", "The rights do not cover the network's Lease, which notes the clusters of the network.", "See: fairlead rbac"},
	"namespace-unread":     {"a namespace that was not read", "The rights end at other namespaces, so nothing is concluded about this one.", "See: fairlead rbac"},
	"waits":                {"something waits", "A part of the change waits for something that is not there yet.", ""},
	"encoding":             {"a file that is no text", "A file of the description holds bytes that are no UTF-8.", "Save it as UTF-8."},
	"cluster-changed":      {"a cluster is reached in another way", "The description reaches a cluster by another context or kubeconfig than before.", "Make sure that it is the same cluster."},
	"base-moved":           {"a description that moved", "The base has the network at another path, and is compared there.", "If another description is meant, name it with --base-path."},
	"base-none":            {"nothing to compare with", "The base has no description of the network, so all of it is new.", "If it is there under another name, name its path with --base-path."},
	"git-unread":           {"a repository that cannot be read", "The description was read from the work tree, and nothing is known of its commit.", "Bring the repository into a form that can be read."},
	"policy-changed":       {"the policy changes", "The change touches what later changes are refused for.", "Look whether that is meant."},
	"proxy-unknown":        {"credentials that could not be read", "The credentials of a proxy could not be read, so they are not compared.", ""},

	"certificate-expiry":      {"a certificate ends soon", "The certificate of a link ends soon.", "Raise the link's rotation and apply."},
	"listener-without-access": {"a link to a site that does not listen", "The site that a link leads to has no link access.", ""},
	"proxy-needs-certificate": {"a token cannot carry a proxy", "A link through a proxy gets its credentials by certificate.", `Use via: "certificate".`},
}
