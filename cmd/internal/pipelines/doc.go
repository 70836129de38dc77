// Package pipelines tests the files that run Fairlead elsewhere: the GitHub action and
// workflows, the GitLab template and the CronJob. It has no code but its tests; what
// needs clusters is in e2e.
package pipelines
