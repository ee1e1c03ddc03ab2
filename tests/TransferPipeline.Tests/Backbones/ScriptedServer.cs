using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace TransferPipeline.Tests.Backbones;

/// <summary>An HTTP server on this machine that answers each request as the test says, lies and broken connections included.</summary>
internal sealed class ScriptedServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<int, Request, Answer> _script;
    private readonly Task _loop;

    /// <param name="script">From the request's number (0 first) and the request to the answer.</param>
    public ScriptedServer(Func<int, Request, Answer> script)
    {
        _script = script;
        _listener.Start();
        _loop = Task.Run(ServeAsync);
    }

    public ConcurrentQueue<Request> Requests { get; } = new();

    public string Url(string file) => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/{file}";

    /// <summary>The whole of <paramref name="content"/>, or what the Range asks for.</summary>
    public static Answer Serve(byte[] content, Request request, string etag = "\"v1\"")
    {
        if (request.From is { } from && (request.IfRange is null || request.IfRange == etag))
            return new(206, content[from..])
            {
                Headers = [$"ETag: {etag}", $"Content-Range: bytes {from}-{content.Length - 1}/{content.Length}"],
            };
        return new(200, content) { Headers = [$"ETag: {etag}"] };
    }

    public void Dispose()
    {
        _listener.Stop();
        _loop.Wait();
    }

    private async Task ServeAsync()
    {
        for (var number = 0; ; number++)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception e) when (e is SocketException or InvalidOperationException)
            {
                return;
            }

            using (client)
                await AnswerAsync(client, number);
        }
    }

    private async Task AnswerAsync(TcpClient client, int number)
    {
        var stream = client.GetStream();
        var reader = new StreamReader(stream, Encoding.ASCII);
        var lines = new List<string>();
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
            lines.Add(line);
        if (lines.Count == 0)
            return;
        var request = new Request(lines[0].Split(' ')[1], Header(lines, "Range"), Header(lines, "If-Range"));
        Requests.Enqueue(request);
        var answer = _script(number, request);
        var sent = answer.CutAfter is { } cut ? answer.Body[..cut] : answer.Body;
        var head = new StringBuilder(
            $"HTTP/1.1 {answer.Status} Scripted\r\nContent-Length: {answer.ClaimedLength ?? answer.Body.Length}\r\nConnection: close\r\n"
        );
        foreach (var header in answer.Headers)
            head.Append(header).Append("\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head + "\r\n"));
        try
        {
            await stream.WriteAsync(sent);
            if (answer.Silence is { } silence)
                await Task.Delay(silence);
        }
        catch (IOException)
        {
            // The client hung up on an answer that it did not believe.
        }
    }

    private static string? Header(List<string> lines, string name) =>
        lines.FirstOrDefault(l => l.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];
}

/// <param name="Range">The header's value, or null.</param>
internal sealed record Request(string Path, string? Range, string? IfRange)
{
    public int? From =>
        Range is null ? null : int.Parse(Range["bytes=".Length..].TrimEnd('-'), System.Globalization.CultureInfo.InvariantCulture);
}

internal sealed record Answer(int Status, byte[] Body)
{
    public string[] Headers { get; init; } = [];

    /// <summary>Content-Length when it is a lie.</summary>
    public int? ClaimedLength { get; init; }

    /// <summary>Hang up after so many bytes.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Say nothing for so long before hanging up.</summary>
    public TimeSpan? Silence { get; init; }
}
