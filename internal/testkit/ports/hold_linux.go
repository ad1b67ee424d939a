package ports

import (
	"fmt"
	"os"
	"sync"
	"syscall"
)

// hold binds a socket to a port of the kernel's choice and does not listen on it.
func hold() (address string, release func(), err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", nil, os.NewSyscallError("socket", err)
	}
	release = sync.OnceFunc(func() { _ = syscall.Close(fd) })
	if address, err = bind(fd); err != nil {
		release()
		return "", nil, err
	}
	return address, release, nil
}

// bind shares the port with those who share it too and name it: without
// SO_REUSEADDR on both sockets the second is refused, listening or not.
func bind(fd int) (string, error) {
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return "", os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", os.NewSyscallError("bind", err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return "", os.NewSyscallError("getsockname", err)
	}
	in, ok := name.(*syscall.SockaddrInet4)
	if !ok {
		return "", fmt.Errorf("getsockname: got %T", name)
	}
	return fmt.Sprintf("127.0.0.1:%d", in.Port), nil
}
