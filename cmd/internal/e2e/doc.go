// Package e2e is the end-to-end suite: it runs the command line against real API
// servers. By default it starts the sandbox; with FAIRLEAD_E2E_KUBECONFIGS, a list
// of kubeconfig files (colon separated), it uses clusters where a real Skupper
// runs. It has no code but its tests.
package e2e
