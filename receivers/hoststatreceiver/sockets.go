package hoststatreceiver

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

const (
	tcp = "tcp"
	udp = "udp"

	stateEstablished = "ESTABLISHED"
	stateTimeWait    = "TIME_WAIT"
	stateClose       = "CLOSE"
)

// tcpStates by the kernel's number (include/net/tcp_states.h), spelled as
// host_metrics does. 12 is NEW_SYN_RECV, which ss shows as SYN_RECV.
var tcpStates = []string{
	"", stateEstablished, "SYN_SENT", "SYN_RECV", "FIN_WAIT_1", "FIN_WAIT_2",
	stateTimeWait, stateClose, "CLOSE_WAIT", "LAST_ACK", "LISTEN", "CLOSING",
}

const newSynRecv = 12

type socketKey struct{ protocol, state string }

// socketCounts is bounded by protocols × states.
type socketCounts map[socketKey]int64

func (c socketCounts) add(protocol string, state uint8) {
	if state == newSynRecv {
		state = 3
	}
	if int(state) < len(tcpStates) && state > 0 {
		c[socketKey{protocol, tcpStates[state]}]++
	}
}

// procSockets counts from /proc/net: a line a socket, the state in hex in the
// fourth field. A missing IPv6 file is not an error.
func procSockets(proc string, count socketCounts) error {
	for _, f := range []struct{ protocol, name string }{{tcp, "tcp"}, {tcp, "tcp6"}, {udp, "udp"}, {udp, "udp6"}} {
		err := procFile(filepath.Join(proc, "net", f.name), f.protocol, count)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func procFile(path, protocol string, count socketCounts) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Scan() // the heading
	for lines.Scan() {
		fields := bytes.Fields(lines.Bytes())
		if len(fields) < 4 {
			continue
		}
		if state, err := strconv.ParseUint(string(fields[3]), 16, 8); err == nil {
			count.add(protocol, uint8(state))
		}
	}
	return lines.Err()
}

// timeWait reads the tw field of /proc/net/sockstat.
func timeWait(proc string) (int64, error) {
	body, err := os.ReadFile(filepath.Join(proc, "net", "sockstat"))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(body) {
		fields := bytes.Fields(line)
		if len(fields) == 0 || string(fields[0]) != "TCP:" {
			continue
		}
		for i := 1; i+1 < len(fields); i += 2 {
			if string(fields[i]) == "tw" {
				return strconv.ParseInt(string(fields[i+1]), 10, 64)
			}
		}
	}
	return 0, fmt.Errorf("no tw field in %s/net/sockstat", proc)
}
