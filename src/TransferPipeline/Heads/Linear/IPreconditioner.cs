namespace TransferPipeline.Heads.Linear;

/// <summary>An approximation of the inverse Hessian, for conjugate gradients.</summary>
internal unsafe interface IPreconditioner
{
    /// <summary>to = M^-1 from, for <paramref name="outputs"/> parameter rows.</summary>
    void Apply(float* from, float* to, int outputs);
}
