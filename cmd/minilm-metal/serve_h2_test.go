package main

import (
	"bytes"
	"encoding/binary"
	"net"
	"strings"
	"testing"
)

// The frames of HTTP/2 that a request needs, and the setting that lets a server send without end (RFC 9113).
const (
	dataFrame, headersFrame, settingsFrame, windowFrame = 0, 1, 4, 8

	endStream, endHeaders = 1, 4
	initialWindow         = 4
	anyNumberOfBytes      = 1<<31 - 1
)

func frame(kind, flags byte, stream uint32, content []byte) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(content)))[1:]
	return append(binary.BigEndian.AppendUint32(append(head, kind, flags), stream), content...)
}

// unreadRequest is a request with all that comes before it on a connection, after which the server may
// send as much as it likes.
func unreadRequest(path, body string) []byte {
	b := bytes.NewBufferString("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	b.Write(frame(settingsFrame, 0, 0, binary.BigEndian.AppendUint32([]byte{0, initialWindow}, anyNumberOfBytes)))
	b.Write(frame(windowFrame, 0, 0, binary.BigEndian.AppendUint32(nil, anyNumberOfBytes-65535)))
	var fields []byte
	for _, f := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "a"}} {
		fields = append(append(fields, 0, byte(len(f[0]))), f[0]...) // as they are, and not kept (RFC 7541, 6.2.2)
		fields = append(append(fields, byte(len(f[1]))), f[1]...)
	}
	b.Write(frame(headersFrame, endHeaders, 1, fields))
	const most = 16 << 10
	for len(body) > most {
		b.Write(frame(dataFrame, 0, 1, []byte(body[:most])))
		body = body[most:]
	}
	b.Write(frame(dataFrame, endStream, 1, []byte(body)))
	return b.Bytes()
}

// Over HTTP/2, too, the reply of a client that does not read ends after the time for it, though the
// server may send all that it has.
func TestServeUnreadHTTP2(t *testing.T) {
	s := startServing(t, nil, "--h2c", "--write-timeout", "500ms", "--log-level", "debug")
	s.logs(t, "msg=ready") // to ask would be to be in time for a reply
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const tokens = 500_000 // some 33 MB, which no buffer holds
	if _, err := c.Write(unreadRequest("/tokenize", `{"inputs": "`+strings.Repeat("! ", tokens)+`"}`)); err != nil {
		t.Fatal(err)
	}
	s.logs(t, "path=/tokenize")
}
