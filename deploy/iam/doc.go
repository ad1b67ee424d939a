// Package iam holds what Vigie may do in AWS: one policy for each destination
// (policies/) and who may take the role (trust/), as JSON with placeholders such
// as ${Region} that Terraform's templatefile and envsubst fill as they stand.
//
// The files are the product; the Go code reads them for the tests here and in
// deploy/cloudformation and deploy/terraform. A test derives from the code which
// calls each embedded configuration fragment makes, and compares them with the
// policies both ways: an action that nobody calls fails it like one that is
// missing.
package iam
