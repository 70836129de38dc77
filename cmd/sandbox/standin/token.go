package standin

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fairlead.dev/fairlead/cmd/sandbox/pki"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/cache"
)

// redeemTimeout bounds one redemption.
const redeemTimeout = 10 * time.Second

// spent stands for the tries of a redeemed token.
const spent = -1

// tokenHandler leads every event to a redemption, except the controller's own
// status writes: those are followed up by reconcileToken itself.
func (s *Standin) tokenHandler() cache.ResourceEventHandler {
	add := func(u *unstructured.Unstructured) { s.tokens.Add(key{"token", u.GetNamespace(), u.GetName()}) }
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { add(obj.(*unstructured.Unstructured)) },
		UpdateFunc: func(old, obj any) {
			u := obj.(*unstructured.Unstructured)
			if old.(*unstructured.Unstructured).GetUID() != u.GetUID() || !onlyStatus(old.(*unstructured.Unstructured), u) {
				add(u)
			}
		},
		DeleteFunc: func(obj any) {
			if u, ok := gone(obj).(*unstructured.Unstructured); ok {
				s.mu.Lock()
				delete(s.tries, u.GetUID())
				s.mu.Unlock()
			}
		},
	}
}

// reconcileToken redeems a token: at its first event, once more at once if
// that fails, and then at each resync, for ever.
func (s *Standin) reconcileToken(ctx context.Context, namespace, name string) error {
	u, ok := s.watch.get(s.watch.tokens, namespace, name).(*unstructured.Unstructured)
	if !ok || u.GetDeletionTimestamp() != nil {
		return nil
	}
	token, err := decode[tokenObject](u)
	if err != nil {
		return err
	}
	r := s.router(namespace)
	if token.Status.Redeemed || r == nil || s.isSpent(token) {
		return nil
	}
	failure := s.redeem(ctx, r, token)
	if ctx.Err() != nil {
		return nil
	}
	token.Status.Redeemed = failure == nil
	redeemed := condition{kind: "Redeemed"}
	if failure == nil {
		s.spend(token)
	} else {
		redeemed.problem, redeemed.failed = failure.Error(), true
	}
	token.Status.settle(token.Generation, false, redeemed)
	if err := s.patchStatus(ctx, tokensGVR, u, token.Status); err != nil {
		return err
	}
	if failure != nil && s.firstTry(token) {
		s.tokens.Add(key{"token", namespace, name})
	}
	return nil
}

// isSpent tells whether the token was redeemed, though the cache may not show
// it yet.
func (s *Standin) isSpent(token *tokenObject) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries[token.UID] == spent
}

func (s *Standin) spend(token *tokenObject) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[token.UID] = spent
}

func (s *Standin) firstTry(token *tokenObject) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[token.UID]++
	return s.tries[token.UID] == 1
}

// redeem asks the grant server and creates what it replies.
func (s *Standin) redeem(ctx context.Context, r *router, token *tokenObject) error {
	reply, err := ask(ctx, token, r.ID)
	if err != nil {
		return err
	}
	owner := ownedBy("Site", object{ObjectMeta: metav1.ObjectMeta{Name: r.Name, UID: r.uid()}})
	reply.Secret.Namespace, reply.Secret.OwnerReferences = token.Namespace, owner
	if _, err := s.core.CoreV1().Secrets(token.Namespace).Create(ctx, &reply.Secret, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("Controller could not create received secret: %w", err)
	}
	for _, link := range reply.Links {
		link.Namespace, link.OwnerReferences = token.Namespace, owner
		link.Spec.Cost = effectiveCost(token.Spec.LinkCost)
		if _, err := s.create(ctx, linksGVR, &link, token.Namespace); err != nil {
			return fmt.Errorf("Controller could not create received link: %w", err)
		}
	}
	return nil
}

// ask posts the code, past all proxies, trusting the token's CA alone. Errors
// here read as the status messages that they become, capital included.
func ask(ctx context.Context, token *tokenObject, subject string) (*redemption, error) {
	address, err := url.Parse(token.Spec.URL)
	if err != nil || address.Scheme != "https" {
		return nil, fmt.Errorf("Controller got invalid url: %s", token.Spec.URL)
	}
	pool, err := pki.Pool([]byte(token.Spec.CA))
	if err != nil {
		return nil, fmt.Errorf("Controller got invalid ca: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, redeemTimeout)
	defer cancel()
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13},
		DisableKeepAlives: true,
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), strings.NewReader(token.Spec.Code))
	if err != nil {
		return nil, err
	}
	req.Header.Set("name", token.Name)
	req.Header.Set("subject", subject)
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return nil, fmt.Errorf("Controller got error calling grant server: %w", err)
	}
	defer resp.Body.Close()
	return read(resp)
}

func read(resp *http.Response) (*redemption, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("Controller could not read reply: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("Controller got failed response: %d (%s) %s",
			resp.StatusCode, http.StatusText(resp.StatusCode), strings.TrimSpace(string(body)))
	}
	reply := &redemption{}
	if err := json.Unmarshal(body, reply); err != nil {
		return nil, fmt.Errorf("Controller could not understand reply: %w", err)
	}
	return reply, nil
}
