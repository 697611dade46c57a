package pull

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/bounded"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

// OptionsFromEnv returns the options that the environment sets, under huggingface_hub's
// names: the cache (see hub.DefaultCache), the endpoint (HF_ENDPOINT), whether requests are
// forbidden (HF_HUB_OFFLINE, else TRANSFORMERS_OFFLINE) and the token. The token is the
// first of
//
//	$HF_TOKEN, $HUGGING_FACE_HUB_TOKEN, the file hub.TokenFile
//
// that is not empty, without white space around it. If HF_HUB_DISABLE_IMPLICIT_TOKEN is
// set, there is none. The environment is only read through getenv.
func OptionsFromEnv(getenv func(string) string, home string) (Options, error) {
	cache, err := hub.DefaultCache(getenv, home)
	if err != nil {
		return Options{}, err
	}
	o := Options{
		Cache:    cache,
		Endpoint: strings.TrimSpace(getenv("HF_ENDPOINT")),
		Offline:  offline(getenv),
	}
	if !o.Offline && !isTrue(getenv("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
		o.Token, err = token(getenv, home)
	}
	return o, err
}

// offline reports whether the environment forbids requests. TRANSFORMERS_OFFLINE counts
// only if HF_HUB_OFFLINE is empty; if that is "0", requests are allowed.
func offline(getenv func(string) string) bool {
	value := getenv("HF_HUB_OFFLINE")
	if value == "" {
		value = getenv("TRANSFORMERS_OFFLINE")
	}
	return isTrue(value)
}

// isTrue is huggingface_hub's reading of a variable that is a switch.
func isTrue(value string) bool {
	switch strings.ToUpper(value) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

// token returns the user's token, "" if there is none.
func token(getenv func(string) string, home string) (string, error) {
	value := getenv("HF_TOKEN")
	if value == "" {
		value = getenv("HUGGING_FACE_HUB_TOKEN") // its older name
	}
	if value = cleanToken(value); value != "" {
		return value, nil
	}
	name, err := hub.TokenFile(getenv, home)
	if name == "" || err != nil {
		return "", err
	}
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil // nobody has logged in
	}
	if err != nil {
		return "", fmt.Errorf("the token: %w", err)
	}
	defer file.Close()
	const enough = 64 << 10 // bytes; a token has some tens
	data, err := bounded.ReadAll(file, enough)
	if err != nil {
		return "", fmt.Errorf("the token: %s: %w", name, err)
	}
	return cleanToken(string(data)), nil
}

// cleanToken takes line ends out and white space off the ends.
func cleanToken(s string) string {
	return strings.TrimSpace(strings.NewReplacer("\r", "", "\n", "").Replace(s))
}
