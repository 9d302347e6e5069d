"""Models: ids and features become scores, and scores become probabilities and losses."""

from helpers.offers import offer

__getattr__, __dir__, __all__ = offer(
    __name__,
    """
    losses: binary_cross_entropy cross_entropy log_softmax log_sum_exp logistic_loss sigmoid softmax softmax_loss
    logistic: LogisticRegression SoftmaxRegression
    naive_bayes: NaiveBayes
    mlp: TwoLayerNetwork
    autodiff: Value ordered
    word2vec: Word2Vec
    word_vectors: WordVectors
    language_model: LanguageModel
    ngram_counts: count_ngrams
    broken_backoff: BrokenBackoff
    neural: NeuralLM count_parameters label_log_probs
    rnn: GRU LSTM Elman RecurrentLM initialize
    config: Config
    attention: sinusoids
    transformer: Transformer
    kv_cache: KVCache
    chunked_loss: chunked_cross_entropy
    bert: load_encoder
    pretrained: load_minilm load_own_smollm2 load_smollm2
    """,
)
