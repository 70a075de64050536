using System.Collections.Concurrent;

namespace Keck.Workloads;

/// <summary>
/// Answers by id that are slow to get: asked for by any thread, got by one, kept. An id nobody knows is asked again after 1 s,
/// 2 s, 4 s … 5 min.
/// </summary>
/// <typeparam name="T">An answer.</typeparam>
internal sealed class NameCache<T>(TimeProvider time)
    where T : class
{
    private const int Limit = 16_384;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Ids held.</summary>
    internal int Count => _entries.Count;

    /// <summary>The answer, or null while there is none.</summary>
    internal T? Find(string id) => _entries.TryGetValue(id, out Entry? entry) ? Touch(entry).Answer : null;

    /// <summary>Asks for an id; the answer comes with <see cref="ResolvePending"/>.</summary>
    internal void Want(string id)
    {
        if (_entries.TryGetValue(id, out Entry? entry))
        {
            _ = Touch(entry);
        }
        else
        {
            _ = _entries.TryAdd(id, new Entry { Used = time.GetTimestamp() });
        }
    }

    /// <summary>Puts an answer that came by itself.</summary>
    internal void Put(string id, T answer) => _entries[id] = new Entry { Used = time.GetTimestamp(), Answer = answer };

    /// <summary>Gets the answers that are due. One thread only.</summary>
    /// <param name="ask">Gets one answer; null where it is not known.</param>
    internal void ResolvePending(Func<string, T?> ask)
    {
        foreach ((string id, Entry entry) in _entries)
        {
            if (entry.Answer is not null || (entry.Pause > TimeSpan.Zero && time.GetElapsedTime(entry.Asked) < entry.Pause))
            {
                continue;
            }

            entry.Answer = ask(id);
            entry.Asked = time.GetTimestamp();
            entry.Pause = entry.Pause == TimeSpan.Zero ? FirstPause : entry.Pause * 2 < LongestPause ? entry.Pause * 2 : LongestPause;
        }

        if (_entries.Count > Limit)
        {
            // The half that nobody has looked at for the longest time goes.
            foreach ((string id, Entry _) in _entries.OrderBy(pair => pair.Value.Used).Take(Limit / 2).ToList())
            {
                _ = _entries.TryRemove(id, out _);
            }
        }
    }

    private Entry Touch(Entry entry)
    {
        entry.Used = time.GetTimestamp();
        return entry;
    }

    private sealed class Entry
    {
        private T? _answer;

        internal long Used { get; set; }

        internal long Asked { get; set; }

        internal TimeSpan Pause { get; set; }

        internal T? Answer
        {
            get => Volatile.Read(ref _answer);
            set => Volatile.Write(ref _answer, value);
        }
    }
}
