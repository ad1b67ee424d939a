package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	err := errors.New("takes build, sign or verify")
	if len(os.Args) > 1 {
		switch rest := os.Args[2:]; os.Args[1] {
		case "build":
			err = buildCommand(rest)
		case "sign", "verify":
			err = signatureCommand(os.Args[1], rest)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func buildCommand(args []string) error {
	f := flag.NewFlagSet("build", flag.ExitOnError)
	out := f.String("out", "build/image", "`directory` that gets the layout (oci), the tar file (vigie.tar) and the bills of materials")
	name := f.String("name", "vigie", "repository that the tar file names")
	version := f.String("version", "", "version, and the image's tag")
	revision := f.String("revision", "", "commit")
	at := f.Int64("time", 0, "`seconds` since 1970 that every file gets")
	ca := f.String("ca", "", "PEM `file` of CA certificates (default: this machine's)")
	lock := f.String("npm-lock", "", "package-lock.json of the page, for the bill of materials")
	most := f.Int64("most-mib", 60, "a platform's compressed size in MiB that is an error when exceeded")
	if err := f.Parse(args); err != nil {
		return err
	}
	platforms, err := parsePlatforms(f.Args())
	if err != nil {
		return err
	}
	certificates, err := readCertificates(*ca)
	if err != nil {
		return err
	}
	b := builder{
		name: *name, version: *version, revision: *revision, created: time.Unix(*at, 0).UTC(),
		certificates: certificates, npmLock: *lock, most: *most << 20,
	}
	results, index, err := b.write(*out, platforms)
	if err != nil {
		return err
	}
	for _, r := range results {
		fmt.Printf("%-12s %5.1f MiB compressed, %6.1f MiB unpacked, %d modules  %s\n", r.platform, mib(r.compressed), mib(r.unpacked), r.modules, r.digest)
	}
	fmt.Printf("%-12s %s  (%s)\n", "index", index, *out)
	return nil
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

func signatureCommand(verb string, args []string) error {
	f := flag.NewFlagSet(verb, flag.ExitOnError)
	dir := f.String("layout", "build/image/oci", "OCI layout")
	key := f.String("key", "", "PEM `file`: an ECDSA private key to sign, its public key to verify")
	repository := f.String("repository", "", "where the image will be, as registry/name: it is part of what is signed")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *key == "" || *repository == "" {
		return fmt.Errorf("%s needs -key and -repository; openssl ecparam -name prime256v1 -genkey -noout -out release.key makes a key", verb)
	}
	act := sign
	if verb == "verify" {
		act = verify
	}
	digests, err := act(*dir, *key, *repository)
	for _, d := range digests {
		fmt.Println(verb, *repository+"@"+d.String())
	}
	return err
}
