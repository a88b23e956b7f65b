"""Writes a small Llama model of random weights as GGUF, for tests and measurements.

python3 model.py FILE [--seed N] [--layers 4] [--width 1024] [--heads 16] [--kv-heads 4] [--hidden 2816] [--context 8192]

Needs NumPy and the gguf package (llama.cpp's gguf-py folder in PYTHONPATH will do)."""
import argparse

import gguf
import numpy

parser = argparse.ArgumentParser()
parser.add_argument("file")
for name, default in dict(seed=1, layers=4, width=1024, heads=16, kv_heads=4, hidden=2816, context=8192).items():
    parser.add_argument("--" + name.replace("_", "-"), type=int, default=default)
args = parser.parse_args()
random = numpy.random.default_rng(args.seed)
head = args.width // args.heads

# Any text is tokens: one for each byte.
special = [("<unk>", gguf.TokenType.UNKNOWN), ("<s>", gguf.TokenType.CONTROL), ("</s>", gguf.TokenType.CONTROL)]
tokens = special + [("<0x%02X>" % byte, gguf.TokenType.BYTE) for byte in range(256)]

writer = gguf.GGUFWriter(args.file, "llama")
writer.add_name("random")
writer.add_context_length(args.context)
writer.add_embedding_length(args.width)
writer.add_block_count(args.layers)
writer.add_feed_forward_length(args.hidden)
writer.add_head_count(args.heads)
writer.add_head_count_kv(args.kv_heads)
writer.add_layer_norm_rms_eps(1e-5)
writer.add_rope_dimension_count(head)
writer.add_vocab_size(len(tokens))
writer.add_tokenizer_model("llama")
writer.add_token_list([token for token, _ in tokens])
writer.add_token_scores([0.0] * len(tokens))
writer.add_token_types([kind for _, kind in tokens])
writer.add_bos_token_id(1)
writer.add_eos_token_id(2)


def matrix(name, rows, columns, gain=1.0):
    values = random.standard_normal((rows, columns), dtype=numpy.float32) * (gain / columns**0.5)
    writer.add_tensor(name + ".weight", values.astype(numpy.float16))


def norm(name):
    writer.add_tensor(name + ".weight", numpy.ones(args.width, numpy.float32))


# Gains: queries that prefer some keys to others, and attention that counts beside the embedding of the last token.
matrix("token_embd", len(tokens), args.width, args.width**0.5)
for layer in range(args.layers):
    block = "blk.%d." % layer
    norm(block + "attn_norm")
    matrix(block + "attn_q", args.heads * head, args.width, 2.0)
    matrix(block + "attn_k", args.kv_heads * head, args.width, 1.5)
    matrix(block + "attn_v", args.kv_heads * head, args.width)
    matrix(block + "attn_output", args.width, args.heads * head, 3.0)
    norm(block + "ffn_norm")
    matrix(block + "ffn_gate", args.hidden, args.width)
    matrix(block + "ffn_up", args.hidden, args.width)
    matrix(block + "ffn_down", args.width, args.hidden)
norm("output_norm")
matrix("output", len(tokens), args.width)

writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
