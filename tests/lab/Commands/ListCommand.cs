using System.CommandLine;

namespace Keck.Lab;

/// <summary><c>keck-lab list</c>: families and scenarios.</summary>
internal static class ListCommand
{
    internal static Command Create()
    {
        Command command = new("list", "families of machines, and scenarios");
        command.SetAction(_ =>
        {
            Console.WriteLine("families");
            foreach (string family in Families.Names)
            {
                Console.WriteLine($"  {family,-18} {Families.Describe(family)}");
            }

            Console.WriteLine("scenarios");
            foreach (string scenario in LabScenarios.Names.Append(LabScenarios.Commissioning).Append(LabScenarios.CommissioningFew))
            {
                Console.WriteLine($"  {scenario,-18} {LabScenarios.Describe(scenario)}");
            }

            Console.WriteLine("peers");
            Console.WriteLine($"  {string.Join(", ", PeerFormulas.Names)}");
        });
        return command;
    }
}
