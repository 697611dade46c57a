package pull

import (
	"crypto/sha1" // git's blob hash; nothing here depends on its strength
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
)

const (
	sha256Digits = 2 * sha256.Size
	gitDigits    = 2 * sha1.Size
)

// isEtag reports whether s has the form of a content hash: a sha256 or a git blob hash in
// lower-case hex. It is then also a safe file name.
func isEtag(s string) bool {
	return (len(s) == sha256Digits || len(s) == gitDigits) && strings.Trim(s, "0123456789abcdef") == ""
}

// hashFile returns the hash of a file's content, of the same kind as etag.
func hashFile(name, etag string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	var sum hash.Hash
	if len(etag) == sha256Digits {
		sum = sha256.New()
	} else {
		info, err := file.Stat()
		if err != nil {
			return "", err
		}
		sum = sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", info.Size())
	}
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
