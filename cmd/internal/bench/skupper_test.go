package bench

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// The networks that are linked on given clusters: each spoke to each hub, so that 20 links
// take no more than 12 sites, as each site is a router.
var linked = []struct{ hubs, spokes int }{{1, 1}, {2, 5}, {2, 10}}

// skupper measures linking sites that are up, on given clusters where a real Skupper runs:
// one apply beside Skupper's own command, which makes one link after another. Both are
// measured until all Links are Ready.
func (b *bench) skupper() {
	command := b.given()
	for _, n := range linked {
		count := n.hubs * n.spokes
		if only := os.Getenv("FAIRLEAD_BENCH_LINKS"); only != "" && only != fmt.Sprint(count) {
			continue
		}
		ours := &series{name: fmt.Sprintf("fairlead apply, links: %d", count)}
		theirs := &series{name: "skupper token issue and redeem, until Ready"}
		redeemed := &series{name: "skupper token issue and redeem"}
		for i := range b.runs {
			s := mesh(fmt.Sprintf("b%x-%d", time.Now().Unix()&0xfffff, i), n.spokes, n.hubs)
			b.linkBoth(s, i%2 == 0, command, ours, theirs, redeemed)
		}
		table(fmt.Sprintf("Real Skupper, each spoke linked to each hub, all sites up before; spokes: %d, hubs: %d", n.spokes, n.hubs),
			ours, theirs, redeemed)
	}
	fmt.Println("The command makes one link after another; then each Link is looked at until all are Ready.")
	fmt.Println("\"issue and redeem\" alone does not wait until the links work, which nobody should call linked.")
}

// given connects to the clusters that FAIRLEAD_E2E_KUBECONFIGS names, as the end-to-end
// tests do, and gives Skupper's command. Without one or the other it skips.
func (b *bench) given() (command string) {
	b.Helper()
	files := filepath.SplitList(os.Getenv("FAIRLEAD_E2E_KUBECONFIGS"))
	if len(files) < 2 {
		b.Skip("skupper: FAIRLEAD_E2E_KUBECONFIGS names no two clusters with a real Skupper")
	}
	command, err := exec.LookPath(cmp.Or(os.Getenv("FAIRLEAD_BENCH_SKUPPER"), "skupper"))
	if err != nil {
		b.Skipf("skupper: Skupper's command is not in PATH, and FAIRLEAD_BENCH_SKUPPER does not name it: %s", err)
	}
	all := clientcmdapi.NewConfig()
	b.configs, b.clients, b.contexts = nil, nil, []string{"given-1", "given-2"}
	for i, name := range b.contexts {
		b.connect(files[i])
		one, err := clientcmd.LoadFromFile(files[i])
		b.must(err)
		b.must(clientcmd.ResolveLocalPaths(one))
		current := one.Contexts[one.CurrentContext]
		if current == nil {
			b.Fatalf("%s has no current context", files[i])
		}
		all.Clusters[name], all.AuthInfos[name] = one.Clusters[current.Cluster], one.AuthInfos[current.AuthInfo]
		all.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	}
	all.CurrentContext = b.contexts[0]
	b.kubeconfig = filepath.Join(b.work, "given.kubeconfig")
	b.must(clientcmd.WriteToFile(*all, b.kubeconfig))
	return command
}

// linkBoth brings the sites up, and measures both ways of linking them, ours first or
// theirs.
func (b *bench) linkBoth(s shape, oursFirst bool, command string, ours, theirs, redeemed *series) {
	b.Helper()
	defer b.clear(s)
	unlinked := s
	unlinked.links = nil
	b.run(b.describe(unlinked), []int{0}, "fairlead", "apply", "--yes", ".")
	for turn := range 2 {
		if (turn == 0) == oursFirst {
			out := b.run(b.describe(s), []int{0}, "fairlead", "apply", "--yes", ".")
			if n := b.ready(s); n != len(s.links) {
				b.Fatalf("fairlead apply: %d of %d Links are Ready", n, len(s.links))
			}
			ours.add(out)
		} else {
			early, late := b.linkByCommand(command, s)
			redeemed.add(sample{wall: early})
			theirs.add(sample{wall: late})
		}
		b.unlink(s)
	}
}

// linkByCommand links the sites by Skupper's command.
func (b *bench) linkByCommand(command string, s shape) (redeemed, ready time.Duration) {
	b.Helper()
	begin := time.Now()
	for _, l := range s.links {
		file := filepath.Join(b.work, s.name+"-"+l.name+".yaml")
		at := func(site string) []string {
			return []string{"--context", b.contexts[b.site(s, site).cluster], "--namespace", s.namespace(site)}
		}
		b.run(b.work, []int{0}, command, append([]string{"token", "issue", file}, at(l.to)...)...)
		b.run(b.work, []int{0}, command, append([]string{"token", "redeem", file}, at(l.from)...)...)
	}
	redeemed = time.Since(begin)
	b.await(lookEvery, "all Links are Ready", func() bool { return b.ready(s) == len(s.links) })
	return redeemed, time.Since(begin)
}

// lookEvery is how often the clusters are looked at.
const lookEvery = 100 * time.Millisecond

// listed gives the objects of a kind in a site's namespace.
func (b *bench) listed(s shape, v siteOf, kind string) []unstructured.Unstructured {
	b.Helper()
	l, err := b.clients[v.cluster].Resource(resource(kind)).Namespace(s.namespace(v.name)).List(context.Background(), metav1.ListOptions{})
	b.must(err)
	return l.Items
}

// ready counts the Links of the network that are Ready.
func (b *bench) ready(s shape) (n int) {
	b.Helper()
	for _, v := range s.sites {
		for _, l := range b.listed(s, v, "links") {
			if isTrue(&l, "Ready") {
				n++
			}
		}
	}
	return n
}

// unlink takes all links away, and waits until each site knows only itself again.
func (b *bench) unlink(s shape) {
	b.Helper()
	for _, v := range s.sites {
		for _, l := range b.listed(s, v, "links") {
			name, _, _ := unstructured.NestedString(l.Object, "spec", "tlsCredentials")
			b.must(b.clients[v.cluster].Resource(resource("secrets")).Namespace(l.GetNamespace()).
				Delete(context.Background(), name, metav1.DeleteOptions{}))
		}
		b.empty(s, v, "links", "accesstokens", "accessgrants")
	}
	b.await(lookEvery, "the sites are apart", func() bool {
		for _, v := range s.sites {
			for _, o := range b.listed(s, v, "sites") {
				if n, _, _ := unstructured.NestedInt64(o.Object, "status", "sitesInNetwork"); n > 1 {
					return false
				}
			}
		}
		return true
	})
}

func (b *bench) empty(s shape, v siteOf, kinds ...string) {
	b.Helper()
	for _, kind := range kinds {
		b.must(b.clients[v.cluster].Resource(resource(kind)).Namespace(s.namespace(v.name)).
			DeleteCollection(context.Background(), metav1.DeleteOptions{}, metav1.ListOptions{}))
	}
}

// clear takes the network away.
func (b *bench) clear(s shape) {
	b.Helper()
	for _, v := range s.sites {
		b.empty(s, v, "links", "accesstokens", "accessgrants", "sites")
	}
	for _, v := range s.sites {
		b.await(lookEvery, "the Site is gone", func() bool { return len(b.listed(s, v, "sites")) == 0 })
		b.must(b.clients[v.cluster].Resource(resource("namespaces")).Delete(context.Background(), s.namespace(v.name), metav1.DeleteOptions{}))
	}
}
