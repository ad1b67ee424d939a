// Command vigie-node does the two things that a node's agent needs before it runs
// as an ordinary user: it makes a directory of the host writable for it, and it
// hands it CAP_NET_ADMIN.
//
//	vigie-node data DIR               make DIR writable for the group root, and for nobody else
//	vigie-node net-admin PROGRAM …    become PROGRAM, with CAP_NET_ADMIN
//
// The image's layer gives this file, and no other, the capability (permitted, not
// effective): see deploy/image/README.md for what that means in a container.
package main

import (
	"fmt"
	"os"
)

func main() {
	err := fmt.Errorf("vigie-node takes: data DIR, or net-admin PROGRAM ARGUMENTS (got %q)", os.Args[1:])
	switch {
	case len(os.Args) == 3 && os.Args[1] == "data":
		err = prepareData(os.Args[2])
	case len(os.Args) > 2 && os.Args[1] == "net-admin":
		err = withNetAdmin(os.Args[2], os.Args[2:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vigie-node:", err)
		os.Exit(1)
	}
}
