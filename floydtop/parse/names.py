"""What the name of a number says about it: a metric, a timing, an x-value, or configuration."""

from __future__ import annotations

import re
from functools import lru_cache


def words(text: str) -> frozenset[str]:
    """The words of a text that is laid out for reading."""
    return frozenset(text.split())


STEP_NAMES = words(
    """
    step steps global_step global_steps iteration iter iters itr batch batch_id batch_idx update updates
    num_updates num_steps num_timesteps total_timesteps timestep timesteps trainer/global_step current_step
    train_step
    """
)
EPOCH_NAMES = words(
    """
    epoch epochs ep current_epoch num_epoch train_epoch trainer/epoch
    """
)

PLURALS = words("epochs steps iters updates num_steps")
"""Names of x-values that name the whole number of them in settings."""

_METRIC_WORDS = words(
    """
    loss losses acc accuracy auc auroc auprc roc ap map miou iou dice jaccard f1 fscore f1score
    precision prec recall sensitivity specificity ppl perplexity bleu rouge meteor chrf wer cer mse
    mae rmse mape rmsle r2 mcc kappa error err nll bce xent cel kl kld elbo likelihood loglik
    logloss reward rewards score psnr ssim lpips fid entropy bpb bpc bpd top1 top5 hits ndcg mrr cost
    regret gloss dloss correlation pearson spearman exact_match fitness deviance hinge huber gnorm fb1
    accu crossentropy smoothl1 mase wape smape msle gini brier ece sdr sisdr sisnr snr pesq stoi
    ter sari bertscore comet ade fde mota hota pck nme epe return returns success tpr fpr fnr tnr ari nmi mar
    trl tel cider spice divergence ents pplx mpjpe eer der las uas silhouette inertia
    """
)
_HYPERPARAMETERS = words(
    "momentum decay dropout gamma alpha beta eps epsilon patience threshold margin warmup rate weight ratio"
)
_STRONG_WORDS = words(
    """
    loss acc accuracy auc auroc f1 ppl perplexity bleu wer cer mse mae rmse miou iou dice map precision
    recall nll psnr ssim score error reward mcc kappa logloss r2 fb1 rouge rougel chrf fid ndcg mape smape
    """
)

_TIMING = re.compile(
    r"""(?:^|[/_.\- ])(?:
        lr|learning[_ ]?rate|dur|timing|timing_s|perf|
        ips|time|times|seconds?|secs?|sec|duration|elapsed|eta|remaining|runtime|latency|fps|speed|
        throughput|memory|mem|max_mem|gpu_mem|gpu|vram|rss|mb|gb|gib|mib|tps|wps|ups|mfu|hfu|tflops|tflop|flops|
        data_time|iter_time|batch_time|time_elapsed|ms|wall|walltime|train_wall|gb_free|tokens?_per_.*|
        samples_per_.*|steps_per_.*|.*_per_(?:second|sec|step|epoch|sample|iter|s)|data|total_flos|
        [a-z]{0,16}samplespersec|(?:max)?memallocated|tokens_seen|num_tokens|num_input_tokens_seen|consumed.samples|it_s|tok_s
    )(?:$|[/_.\- (\[])""",
    re.VERBOSE | re.IGNORECASE,
)
_UNIT = re.compile(
    r"(?:^s/b|/(?:s|sec|second|it|iter|step|batch|epoch|img|sample|token)|\((?:ms|us|µs|ns|s|secs?|min|m|h|"
    r"[KMGT]i?B?|[kMG]b|FPS|fps|TFLOPS?/s)|\([^)]{1,12}/s(?:ec)?)\)?$"
)
_CONFIG = words(
    """
    wpb bsz micro_step v_num skipped mom timeout retry
    seed batch_size batchsize bs world_size rank local_rank num_workers n_parameters num_parameters
    params parameters version port pid num_epochs max_steps max_epochs num_samples patience timestamp ts
    level lineno process thread n_params warmup_steps hidden_size num_layers vocab_size block_size size
    cuda device tpu width height dim num_classes n_layer n_head n_embd dropout exit code gpus nodes year line
    """
)
# `training acc over epoch`, `accuracy on test set`: what is measured is said first.
_ABOUT = re.compile(r" (?:over|for|on|of|per|after) ")
_NUMBERING = "0123456789@_"
_SPLIT = re.compile(r"[^a-z0-9@]+")


@lru_cache(maxsize=4096)
def is_metric(name: str) -> bool:
    """Whether a word of the name is one that people measure models by: loss, accuracy, reward, lr."""
    lower = name.lower()
    parts = _SPLIT.split(lower)
    if "grad" in parts and "norm" in parts:
        return True
    return any(
        word in _METRIC_WORDS or word.rstrip(_NUMBERING) in _METRIC_WORDS or word.endswith("loss")
        for word in parts
        if word
    )


@lru_cache(maxsize=4096)
def is_timing(name: str) -> bool:
    """Whether the name is that of a rate, a duration, a size, which a job prints about itself."""
    # The end of a name tells; of 60 KB of it the expressions, which are square in it, would take seconds.
    name = name[-200:]
    return (_TIMING.search(name) is not None or _UNIT.search(name) is not None) and not _loss_like(name)


def _loss_like(name: str) -> bool:
    lower = name.lower()
    return "loss" in lower or "acc" in lower


@lru_cache(maxsize=4096)
def is_config(name: str) -> bool:
    """Whether the name is that of a setting or an identity, which is not a series."""
    lower = name.lower().strip()
    return (
        lower in _CONFIG
        or lower.startswith(("number of", "num ", "no. of", "consumed"))
        or "batch size" in lower
        or lower.endswith(("copypaste", "batch_size", "batchsize", "train steps", "val steps"))
    )


def is_hyperparameter(name: str) -> bool:
    """Whether the name ends in a word for a setting of the training, which is shown but hardly measured."""
    return _SPLIT.split(name.lower())[-1] in _HYPERPARAMETERS


@lru_cache(maxsize=4096)
def is_strong_metric(name: str) -> bool:
    """Whether the name ends in a word that can hardly be a setting: good enough on a line without a step."""
    # The 0.5 of mAP@0.5 says how it was measured.
    parts = [word for word in _SPLIT.split(_ABOUT.split(name.lower())[0].partition("@")[0]) if word]
    return bool(parts) and (parts[-1] in _STRONG_WORDS or parts[-1].rstrip(_NUMBERING) in _STRONG_WORDS)


def is_step(name: str) -> bool:
    return name.lower() in STEP_NAMES


def is_epoch(name: str) -> bool:
    return name.lower() in EPOCH_NAMES
