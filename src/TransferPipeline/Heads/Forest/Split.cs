namespace TransferPipeline.Heads;

/// <summary>The best division of a node found so far: bins up to <see cref="Bin"/> of a column go left.</summary>
internal struct Split
{
    // default(Split) would be a division of column 0 with score 0.
    public Split() => Score = double.NegativeInfinity;

    /// <summary>
    /// Sum of squared class weights over total weight, left plus right: largest where the weighted Gini impurity is smallest.
    /// </summary>
    public double Score { get; set; }

    public int Column { get; set; } = -1;

    public int Bin { get; set; }

    /// <summary>The next bin that has rows of the node.</summary>
    public int NextBin { get; set; }

    public readonly bool Found => Column >= 0;

    public void Offer(double score, int column, int bin, int nextBin)
    {
        // Of equal divisions the first stays: the order of the draws decides.
        if (score > Score)
            (Score, Column, Bin, NextBin) = (score, column, bin, nextBin);
    }
}
