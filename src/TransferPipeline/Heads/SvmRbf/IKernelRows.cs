namespace TransferPipeline.Heads;

/// <summary>Rows of a kernel matrix.</summary>
internal unsafe interface IKernelRows
{
    /// <summary>
    /// Address of the kernel values of <paramref name="row"/> with row <paramref name="first"/> and those behind it; valid until four
    /// further rows were requested.
    /// </summary>
    float* Row(int row, int first);
}
