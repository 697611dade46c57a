package model

import (
	"fmt"
	"strings"

	"github.com/minilm-metal/minilm-metal/model/jsonscan"
)

// The tables below list the keys that the files may have: those that are read elsewhere in
// this package, and those that change no score. To find the latter, each key was changed in
// a real model, and the libraries' logits compared, for single pairs and for a batch.

// libraryKeys are the keys of config_sentence_transformers.json. Those in the second line
// change nothing: the data type of arithmetic that is float32 here in any case, versions of
// software, and of a cross-encoder how embeddings are compared.
var libraryKeys = []string{"model_type", "prompts", "default_prompt_name", newActivation,
	"__version__", "keep_in_fp32_modules", "requirements", "similarity_fn_name", "truncate_dim"}

// inputKeys are the keys of sentence_bert_config.json. Those in the second line change
// nothing: how a batch is padded, and settings of tasks other than pairs.
var inputKeys = []string{"transformer_task", "modality_config", "module_output_name", "processing_kwargs", "max_seq_length", "do_lower_case",
	"unpad_inputs", "query_length", "document_length", "query_expansion"}

// processingKeys are the keys of processing_kwargs: those for all inputs and for texts. The
// others are for inputs that are not texts.
var processingKeys = []string{"common", "text",
	"audio", "image", "video", "chat_template"}

// textKeys are the keys inside common and text of processing_kwargs. Those in the second
// line ask for more outputs beside the tokens, which nothing reads, or for padding, which
// sequences do not have here and which changes nothing if it is masked.
var textKeys = []string{"max_length", "truncation",
	"padding", "pad_to_multiple_of", "return_special_tokens_mask", "return_offsets_mapping", "return_length", "return_tensors", "verbose", "logits_to_keep"}

// plainText lists, for other keys, the values that ask for what is done in any case.
var plainText = map[string][]string{"stride": {"0"}, "add_special_tokens": {"true"}, "is_split_into_words": {"false", "null"},
	"return_token_type_ids": {"true", "null"}, "return_attention_mask": {"true", "null"}, "return_overflowing_tokens": {"false", "null"},
	"split_special_tokens": {"false", "null"}, "padding_side": {`"right"`, "null"}}

// configKeys are the keys of config.json: those that are read, those of BERT's own
// configuration that change nothing at inference (for training, other heads and generated
// text), and those that every configuration of transformers may have.
var configKeys = strings.Fields(`
model_type hidden_act position_embedding_type is_decoder add_cross_attention pruned_heads per_layer_config quantization_config
hidden_size num_hidden_layers num_attention_heads intermediate_size vocab_size max_position_embeddings type_vocab_size
layer_norm_eps num_labels id2label architectures sentence_transformers sbert_ce_default_activation_function tokenizer_class

attention_probs_dropout_prob hidden_dropout_prob classifier_dropout initializer_range gradient_checkpointing use_cache output_past
directionality word_embedding_dimension pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type export_model_type

_name_or_path name_or_path _commit_hash transformers_version adapters_version dtype torch_dtype label2id problem_type finetuning_task task_specific_params
pad_token_id bos_token_id eos_token_id sep_token_id decoder_start_token_id prefix language
tie_word_embeddings tie_encoder_decoder is_encoder_decoder cross_attention_hidden_size chunk_size_feed_forward
output_attentions output_hidden_states output_scores return_dict return_dict_in_generate torchscript use_bfloat16 tf_legacy_loss
attn_implementation _attn_implementation _attn_implementation_internal _attn_implementation_autoset _flash_attn_2_enabled _num_labels
max_length min_length do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature top_k top_p typical_p
repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size bad_words_ids num_return_sequences
forced_bos_token_id forced_eos_token_id remove_invalid_values exponential_decay_length_penalty suppress_tokens begin_suppress_tokens`)

// refuseUnknown refuses a field that is not in keys. It is for the small files that only
// sentence-transformers writes: a new field in them may change every score, and nobody
// would notice.
func (f *fields) refuseUnknown(keys []string) {
	if names := jsonscan.Unknown(f.raw, keys); len(names) > 0 {
		f.bad(shortened(names[0]), "%s is not supported: what it means is not known here", jsonscan.Shown(f.raw[names[0]]))
	}
}

// warnUnknown warns of fields of config.json that are not in keys. Many people put notes
// into that file, and transformers does not read them either.
func (s *Spec) warnUnknown(f *fields, keys []string) {
	if names := jsonscan.Unknown(f.raw, keys); len(names) > 0 {
		s.warn("%s: what %s means is not known here, and it is not used", f.file, jsonscan.Quoted(names, mostNamed))
	}
}

// shortened returns a key for use in an error. A file may have keys of any length.
func shortened(name string) string {
	const most = 80
	if len(name) > most {
		return fmt.Sprintf("%.80q", name)
	}
	return name
}
