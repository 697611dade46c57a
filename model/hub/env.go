package hub

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// DefaultCache returns the cache that huggingface_hub would use: the first of
//
//	$HF_HUB_CACHE, $HUGGINGFACE_HUB_CACHE, $HF_HOME/hub,
//	$XDG_CACHE_HOME/huggingface/hub, home/.cache/huggingface/hub
//
// whose variable is set and not empty, with a leading "~" and $VARIABLES
// replaced. It reads the environment through getenv alone and touches no file;
// home may be "" where the variables name the place.
func DefaultCache(getenv func(string) string, home string) (Cache, error) {
	dir, err := place(getenv, home, []string{"hub"}, "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
	if err != nil {
		return Cache{}, err
	}
	if dir == "" {
		return Cache{}, errors.New("hub: no Hugging Face cache: the home directory is not known and neither HF_HUB_CACHE nor HF_HOME is set")
	}
	return Cache{Dir: dir}, nil
}

// TokenFile returns where huggingface_hub keeps the user's token: the first of
//
//	$HF_TOKEN_PATH, $HF_HOME/token,
//	$XDG_CACHE_HOME/huggingface/token, home/.cache/huggingface/token
//
// by DefaultCache's rules, or "" where none of them is known.
func TokenFile(getenv func(string) string, home string) (string, error) {
	return place(getenv, home, []string{"token"}, "HF_TOKEN_PATH")
}

// place returns the path that the first set variable names, else the place of
// below in Hugging Face's own folder; "" where neither is known.
func place(getenv func(string) string, home string, below []string, variables ...string) (string, error) {
	type named struct {
		variable string
		below    []string
	}
	var all []named
	for _, variable := range variables {
		all = append(all, named{variable, nil})
	}
	all = append(all, named{"HF_HOME", below}, named{"XDG_CACHE_HOME", append([]string{"huggingface"}, below...)})
	for _, one := range all {
		value := getenv(one.variable)
		if value == "" {
			continue
		}
		value = expand(value, getenv)
		if value == "~" || strings.HasPrefix(value, "~/") || strings.HasPrefix(value, "~"+string(filepath.Separator)) {
			if home == "" {
				return "", fmt.Errorf("hub: %s is %q, but the home directory is not known", one.variable, getenv(one.variable))
			}
			value = home + value[1:]
		}
		return filepath.Join(append([]string{value}, one.below...)...), nil
	}
	if home == "" {
		return "", nil
	}
	return filepath.Join(append([]string{home, ".cache", "huggingface"}, below...)...), nil
}

// expand replaces $NAME and ${NAME}; unset names stay as written, as Python's
// expandvars leaves them.
func expand(s string, getenv func(string) string) string {
	return os.Expand(s, func(name string) string {
		if value := getenv(name); value != "" {
			return value
		}
		return "$" + name
	})
}
