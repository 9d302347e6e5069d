"""LoRA against peft (same A and B: outputs, gradients, merged weights), and the chat template against SmolLM2's own."""

import pytest
import torch

from helpers.finetuning import lora
from helpers.models import pretrained
from helpers.tokenizers import chat_template
from tests.tools import tiny_llama

transformers = pytest.importorskip("transformers", reason="transformers is not installed")
peft = pytest.importorskip("peft", reason="peft is not installed (pip install -r tests/requirements.txt)")

NAMES = {"q_proj": "q", "k_proj": "k", "v_proj": "v", "o_proj": "o", "up_proj": "up", "gate_proj": "gate", "down_proj": "down"}


@pytest.mark.parametrize(
    "targets, rank, alpha", [(("q_proj", "v_proj"), 4, 8), (tuple(NAMES), 2, 16), (("o_proj", "down_proj"), 3, 3)]
)
def test_outputs_gradients_and_merged_weights_equal_those_of_peft(targets, rank, alpha):
    torch.manual_seed(0)
    library, own = tiny_llama.pair(50, 32, tied=True)
    theirs = peft.get_peft_model(
        library,
        peft.LoraConfig(
            r=rank, lora_alpha=alpha, target_modules=list(targets), lora_dropout=0.0, bias="none", task_type="CAUSAL_LM"
        ),
    )
    lora.add_lora(own, [NAMES[t] for t in targets], rank=rank, alpha=alpha)
    own_layers = {}
    for n, block in enumerate(own.blocks):
        for part in (block.attention, block.ffn):
            own_layers |= {(n, name): m for name, m in part.named_children() if isinstance(m, lora.LoRALinear)}
    pairs = []
    with torch.no_grad():
        for n, layer in enumerate(theirs.base_model.model.model.layers):
            for part in (layer.self_attn, layer.mlp):
                for name, m in part.named_children():
                    if hasattr(m, "lora_A"):
                        mine = own_layers[n, NAMES[name]]
                        a, b = m.lora_A["default"].weight, m.lora_B["default"].weight
                        b.normal_(0, 0.3)  # peft starts it at zero, as we do
                        mine.A.copy_(a)
                        mine.B.copy_(b)
                        pairs += [(mine.A, a), (mine.B, b), (mine, m)]
    assert len(pairs) == 3 * len(own_layers) == 3 * 2 * len(targets)
    ids = torch.randint(50, (3, 12))
    ours, other = own(ids)[0], theirs(ids).logits
    assert torch.allclose(ours, other, atol=1e-5)
    weights = torch.randn_like(ours)
    (ours * weights).sum().backward()
    (other * weights).sum().backward()
    for mine, their in pairs:
        if isinstance(mine, torch.nn.Parameter):
            assert torch.allclose(mine.grad, their.grad, atol=1e-4, rtol=1e-4)
    lora.merge(own)
    theirs.merge_adapter()
    for mine, their in pairs:
        if isinstance(mine, lora.LoRALinear):
            assert torch.allclose(mine.base.weight, their.base_layer.weight, atol=1e-6)
    assert torch.allclose(own(ids)[0], theirs(ids).logits, atol=1e-5)


CHATS = [
    [chat_template.user("What is the capital of France?")],
    [
        chat_template.system("Answer in one word."),
        chat_template.user("How long is the Zambezi?"),
        chat_template.assistant("2,574 km"),
        chat_template.user("And in miles?"),
    ],
    [chat_template.user("naïve café 12345 🙂\n\nnew line"), chat_template.assistant("  spaces at first")],
]


@pytest.mark.parametrize("messages", CHATS)
def test_the_template_and_its_ids_are_those_of_smollm2(messages):
    from helpers.tokenizers.bpe import BPE

    theirs, ours = pretrained.load_smollm2_tokenizer(), BPE.from_smollm2()
    reply = messages[-1]["role"] == "user"
    text = theirs.apply_chat_template(messages, tokenize=False, add_generation_prompt=reply)
    assert chat_template.render(messages, reply=reply) == text
    ids = chat_template.encode_prompt(ours, messages) if reply else chat_template.encode_example(ours, messages).ids
    assert ours.decode(ids) == text
    if not messages[-1]["content"].startswith(" "):  # at a blank the library lets the line break before it join in
        assert ids == theirs(text, add_special_tokens=False)["input_ids"]
