package standin

import (
	"cmp"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
)

const apiVersion = "skupper.io/v2alpha1"

func resource(plural string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "skupper.io", Version: "v2alpha1", Resource: plural}
}

// The kinds that the stand-in plays.
var (
	sitesGVR    = resource("sites")
	linksGVR    = resource("links")
	grantsGVR   = resource("accessgrants")
	tokensGVR   = resource("accesstokens")
	certsGVR    = resource("certificates")
	accessesGVR = resource("routeraccesses")

	listenersGVR  = resource("listeners")
	multiGVR      = resource("multikeylisteners")
	connectorsGVR = resource("connectors")
)

// object is what all our kinds have.
type object struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
}

// status is what all their statuses have.
type status struct {
	Status     string             `json:"status,omitempty"`
	Message    string             `json:"message,omitempty"`
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// endpoint is one address of a router.
type endpoint struct {
	Name  string `json:"name,omitempty"`
	Host  string `json:"host,omitempty"`
	Port  string `json:"port,omitempty"`
	Group string `json:"group,omitempty"`
}

type siteObject struct {
	object `json:",inline"`
	Spec   siteSpec   `json:"spec"`
	Status siteStatus `json:"status"`
}

type siteSpec struct {
	LinkAccess    string `json:"linkAccess,omitempty"`
	DefaultIssuer string `json:"defaultIssuer,omitempty"`
	HA            bool   `json:"ha,omitempty"`
	Edge          bool   `json:"edge,omitempty"`

	Settings map[string]string `json:"settings,omitempty"`
}

type siteStatus struct {
	status         `json:",inline"`
	DefaultIssuer  string          `json:"defaultIssuer,omitempty"`
	Controller     *controllerInfo `json:"controller,omitempty"`
	Endpoints      []endpoint      `json:"endpoints,omitempty"`
	SitesInNetwork int64           `json:"sitesInNetwork,omitempty"`
	Network        []networkSite   `json:"network,omitempty"`
}

type controllerInfo struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Version   string `json:"version"`
}

type networkSite struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Namespace string        `json:"namespace,omitempty"`
	Platform  string        `json:"platform,omitempty"`
	Version   string        `json:"version,omitempty"`
	Links     []networkLink `json:"links,omitempty"`

	Services []recordService `json:"services,omitempty"`
}

type networkLink struct {
	Name           string `json:"name"`
	RemoteSiteID   string `json:"remoteSiteId,omitempty"`
	RemoteSiteName string `json:"remoteSiteName,omitempty"`
	Operational    bool   `json:"operational"`
}

type linkObject struct {
	object `json:",inline"`
	Spec   linkSpec    `json:"spec"`
	Status *linkStatus `json:"status,omitempty"`
}

type linkSpec struct {
	Endpoints      []endpoint        `json:"endpoints"`
	TLSCredentials string            `json:"tlsCredentials,omitempty"`
	Cost           int64             `json:"cost,omitempty"`
	Settings       map[string]string `json:"settings,omitempty"`
}

type linkStatus struct {
	status         `json:",inline"`
	RemoteSiteID   string `json:"remoteSiteId,omitempty"`
	RemoteSiteName string `json:"remoteSiteName,omitempty"`
}

type grantObject struct {
	object `json:",inline"`
	Spec   grantSpec   `json:"spec"`
	Status grantStatus `json:"status"`
}

type grantSpec struct {
	RedemptionsAllowed int64  `json:"redemptionsAllowed,omitempty"`
	ExpirationWindow   string `json:"expirationWindow,omitempty"`
	Code               string `json:"code,omitempty"`
}

type grantStatus struct {
	status         `json:",inline"`
	URL            string `json:"url,omitempty"`
	Code           string `json:"code,omitempty"`
	CA             string `json:"ca,omitempty"`
	Redemptions    int64  `json:"redemptions,omitempty"`
	ExpirationTime string `json:"expirationTime,omitempty"`
}

type tokenObject struct {
	object `json:",inline"`
	Spec   tokenSpec   `json:"spec"`
	Status tokenStatus `json:"status"`
}

type tokenSpec struct {
	URL      string `json:"url"`
	Code     string `json:"code"`
	CA       string `json:"ca"`
	LinkCost int64  `json:"linkCost,omitempty"`
}

type tokenStatus struct {
	status   `json:",inline"`
	Redeemed bool `json:"redeemed,omitempty"`
}

type certObject struct {
	object `json:",inline"`
	Spec   certSpec `json:"spec"`
	Status status   `json:"status"`
}

type certSpec struct {
	CA      string   `json:"ca"`
	Subject string   `json:"subject"`
	Hosts   []string `json:"hosts,omitempty"`
	Client  bool     `json:"client,omitempty"`
	Server  bool     `json:"server,omitempty"`
	Signing bool     `json:"signing,omitempty"`
}

type accessObject struct {
	object `json:",inline"`
	Spec   accessSpec   `json:"spec"`
	Status accessStatus `json:"status"`
}

type accessSpec struct {
	Roles                  []accessRole `json:"roles"`
	GenerateTLSCredentials bool         `json:"generateTlsCredentials,omitempty"`
	Issuer                 string       `json:"issuer,omitempty"`
	AccessType             string       `json:"accessType,omitempty"`
	TLSCredentials         string       `json:"tlsCredentials"`
}

type accessRole struct {
	Name string `json:"name"`
	Port int64  `json:"port,omitempty"`
}

type accessStatus struct {
	status    `json:",inline"`
	Endpoints []endpoint `json:"endpoints,omitempty"`
}

// decode reads an informer's object into one of our kinds; the copy is ours.
func decode[T any](obj any) (*T, error) {
	out := new(T)
	u := obj.(*unstructured.Unstructured)
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.UnstructuredContent(), out)
	return out, err
}

// encode is the opposite of decode.
func encode(obj any) (*unstructured.Unstructured, error) {
	content, err := encodeMap(obj)
	if err != nil {
		return nil, err
	}
	unstructured.RemoveNestedField(content, "metadata", "creationTimestamp")
	return &unstructured.Unstructured{Object: content}, nil
}

// encodeMap gives a value the form that it has inside an unstructured object.
func encodeMap(v any) (map[string]any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, json.Unmarshal(text, &out)
}

// ownedBy makes the owner reference of an object that our kind owns.
func ownedBy(kind string, o object) []metav1.OwnerReference {
	return []metav1.OwnerReference{{APIVersion: apiVersion, Kind: kind, Name: o.Name, UID: o.UID}}
}

// condition is one outcome: no problem means True.
type condition struct {
	kind    string
	problem string
	// failed makes the problem an error, not something to wait for.
	failed bool
	// seen is the generation that the outcome is of, 0 for that of the others.
	seen int64
	// unreported counts for Ready, and is not shown: nothing has been said of it yet.
	unreported bool
}

// settle records conditions and derives Ready, when wanted, and the summary
// that printer columns show.
func (s *status) settle(generation int64, ready bool, conditions ...condition) {
	s.Status, s.Message = "Ready", "OK"
	for _, c := range conditions {
		if !c.unreported {
			s.set(generation, c)
		}
		if c.problem != "" && s.Status == "Ready" {
			s.Status, s.Message = "Pending", c.problem
			if c.failed {
				s.Status = "Error"
			}
		}
	}
	if !ready {
		return
	}
	all := condition{kind: "Ready"}
	if s.Status != "Ready" {
		all.problem, all.failed = s.Message, s.Status == "Error"
	}
	s.set(generation, all)
}

func (s *status) set(generation int64, c condition) {
	out := metav1.Condition{
		Type: c.kind, Status: metav1.ConditionTrue, Reason: "Ok", Message: "OK", ObservedGeneration: cmp.Or(c.seen, generation),
	}
	if c.problem != "" {
		out.Status, out.Reason, out.Message = metav1.ConditionFalse, "Pending", c.problem
		if c.failed {
			out.Reason = "Error"
		}
	}
	meta.SetStatusCondition(&s.Conditions, out)
}
