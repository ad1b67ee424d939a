// Command image makes Vigie's container image out of binaries: an OCI layout for
// amd64 and arm64, from nothing but CA certificates, a user and the programs. It
// needs no daemon, no base image and no registry.
//
// Binaries enter; a layout leaves, a tar file of the image alone for `ctr images
// import`, and a CycloneDX bill of materials a platform, read out of the binary
// itself. The same binaries, certificates and time give the same bytes.
//
//	image build  -out DIR -version V -time UNIX linux/amd64=DIR …
//	image sign   -layout DIR -key KEY.pem -repository REPOSITORY
//	image verify -layout DIR -key PUB.pem -repository REPOSITORY
//
// sign adds a signature as cosign keeps it, to the image and to each platform of
// it; verify is what the tests and a careful release check them with.
package main
