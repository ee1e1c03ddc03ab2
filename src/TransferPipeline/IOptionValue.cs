namespace TransferPipeline;

/// <summary>An option's value that is a word or a number; its <c>ToString</c> is what commands and pipelines have.</summary>
internal interface IOptionValue<TSelf>
    where TSelf : struct, IOptionValue<TSelf>
{
    /// <summary>The valid texts in words, for messages.</summary>
    static abstract string Expected { get; }

    /// <summary>The valid words.</summary>
    static abstract IReadOnlyList<string> Words { get; }

    /// <summary>Reads what <c>ToString</c> wrote, and other spellings of the same number.</summary>
    static abstract bool TryParse(string text, out TSelf value);
}
