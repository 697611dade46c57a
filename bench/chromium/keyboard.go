package chromium

import "fmt"

// Type types a text where the focus is.
func (b *Browser) Type(text string) error {
	return b.call("Input.insertText", map[string]any{"text": text}, nil)
}

// keys are those that Press knows, by their names, with what they type.
var keys = map[string]struct {
	code int
	text string
}{"Tab": {9, ""}, "Enter": {13, "\r"}, " ": {32, " "}, "ArrowRight": {39, ""}}

// Press presses a key, with Ctrl if that is asked for.
func (b *Browser) Press(key string, ctrl bool) error {
	k, known := keys[key]
	if !known {
		return fmt.Errorf("no key %q", key)
	}
	modifiers := 0
	if ctrl {
		modifiers = 2
		k.text = ""
	}
	event := map[string]any{"type": "keyDown", "key": key, "windowsVirtualKeyCode": k.code, "modifiers": modifiers, "text": k.text}
	if err := b.call("Input.dispatchKeyEvent", event, nil); err != nil {
		return err
	}
	event["type"] = "keyUp"
	delete(event, "text")
	return b.call("Input.dispatchKeyEvent", event, nil)
}
