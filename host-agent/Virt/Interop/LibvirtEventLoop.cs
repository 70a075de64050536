using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Keck.Virt.Interop;

/// <summary>
/// libvirt's event loop: one to a process, by its own rule, on one thread of ours that sleeps in poll(2) while nothing happens and
/// ends with the process.
/// </summary>
internal static unsafe class LibvirtEventLoop
{
    private static readonly Lock Gate = new();
    private static bool _running;

    /// <summary>Starts the loop if it does not run yet; before the first connection.</summary>
    /// <exception cref="LibvirtException">libvirt refuses.</exception>
    internal static void Start()
    {
        lock (Gate)
        {
            if (_running)
            {
                return;
            }

            // SAFETY: both callbacks are static and live as long as the process.
            unsafe
            {
                LibVirt.SetErrorHandler(0, &Silence);
                if (LibVirt.Initialize() < 0)
                {
                    throw LibvirtException.Last("virInitialize");
                }

                // The timer never fires: with it the loop is never empty.
                if (LibVirt.RegisterEventLoop() < 0 || LibVirt.AddTimeout(-1, &Never, 0, 0) < 0)
                {
                    throw LibvirtException.Last("virEventRegisterDefaultImpl");
                }
            }

            new Thread(Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = "libvirt-events" }.Start();
            _running = true;
        }
    }

    private static void Run()
    {
        while (LibVirt.RunEventLoop() == 0)
        {
        }

        // poll(2) itself failed. Connections notice by their own calls; the next one starts the loop anew.
        lock (Gate)
        {
            _running = false;
        }
    }

    // Errors are read by the thread whose call failed; libvirt would print them to standard error besides.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Silence(nint data, nint error)
    {
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void Never(int timer, nint opaque)
    {
    }
}
