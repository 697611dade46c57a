package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/model/hub/pull"
)

func (p *program) pull() *cobra.Command {
	var revision, endpoint string
	c := &cobra.Command{
		Use:   "pull ID",
		Short: "Download a checkpoint to the Hugging Face cache",
		Long: `Download a checkpoint from a Hugging Face hub to the local cache, in the layout
that huggingface_hub shares, and print the folder it is in.

What comes is the configuration, the tokenizer's files, the weights as safetensors, and
what sentence-transformers keeps beside them: modules.json, its settings, and the folders
of modules that it names. PyTorch's pytorch_model.bin comes where there are no safetensors;
weights in other formats do not.

Size and sha256 are checked before a file appears under its name. What is there
already is not downloaded again, and an interrupted download goes on where it stopped.

A hub that cannot be reached does no harm where the cache has all that is asked
for: its folder is printed then, with a warning.

The environment, by huggingface_hub's names: HF_HOME or HF_HUB_CACHE is the
cache, and HF_ENDPOINT the hub. The token is HF_TOKEN, else what the file
HF_TOKEN_PATH holds, else HF_HOME/token; it is sent to that hub's host and to no
other. With HF_HUB_OFFLINE=1 no request is made: the cache has all the files, or
the command says what is missing.`,
		Example: `  minilm-metal pull cross-encoder/ms-marco-MiniLM-L-6-v2
  minilm-metal pull cross-encoder/ms-marco-MiniLM-L-12-v2 --revision main
  HF_HOME=/data/hf minilm-metal pull cross-encoder/ms-marco-MiniLM-L-6-v2`,
		Args:              arguments("", "ID"),
		ValidArgsFunction: p.completeID,
		RunE: func(c *cobra.Command, args []string) error {
			o, err := pull.OptionsFromEnv(p.getenv, p.home())
			if err != nil {
				return err
			}
			o.ID, o.Revision = args[0], revision
			if endpoint != "" {
				o.Endpoint = endpoint
			}
			o.Progress = p.bar.Bytes
			o.Retrying = func(file string, err error, pause time.Duration) {
				p.warn("%s: %v; again in %v", file, err, pause.Round(100*time.Millisecond))
			}
			o.FromCache = func(err error) {
				p.warn("the hub cannot be asked (%v); this is what the cache has", err)
			}
			snapshot, err := pull.Pull(c.Context(), o)
			if errors.Is(err, pull.ErrOffline) {
				return fmt.Errorf("%w; HF_HUB_OFFLINE (or TRANSFORMERS_OFFLINE) is set: unset it to download", err)
			}
			if err != nil {
				return err
			}
			p.bar.Close()
			_, err = fmt.Fprintln(p.stdout, snapshot.Dir)
			return err
		},
	}
	c.Flags().StringVar(&revision, "revision", "", "branch, tag or commit (default: the commit that this program was checked with, else main)")
	c.Flags().StringVar(&endpoint, "endpoint", "", "hub to ask (default: $HF_ENDPOINT, else "+pull.DefaultEndpoint+")")
	return c
}
