import { Migration } from '@mikro-orm/migrations';

/** The three models that come with the hub. A model that an operator made under the same id stays as it is. */
export class Migration0002Models extends Migration {
  override up(): void {
    for (const model of shippedModels) this.addSql(insertModel(model));
  }

  override down(): void {
    const ids = shippedModels.map(({ id }) => text(id)).join(', ');
    // Requests keep their model: a row that one of them names stays.
    this.addSql(
      `delete from model where id in (${ids}) and not exists (select from work_request where model_id = model.id)`,
    );
  }
}

interface ShippedModel {
  readonly id: string;
  readonly executionMode: 'SYNC' | 'ASYNC';
  readonly columns: readonly ShippedColumn[];
  readonly citation: string;
  readonly identification: Readonly<Record<string, string | readonly string[]>> & {
    readonly description: string;
  };
}

interface ShippedColumn {
  readonly name: string;
  readonly type: 'number' | 'integer' | 'boolean';
  readonly unit: string | null;
  readonly description: string;
}

const column = (
  name: string,
  type: ShippedColumn['type'],
  unit: string | null,
  description: string,
): ShippedColumn => ({ name, type, unit, description });

const shippedModels: readonly ShippedModel[] = [
  {
    id: 'eos-physchem',
    executionMode: 'SYNC',
    columns: [
      column('amw', 'number', 'g/mol', 'Average molecular weight.'),
      column(
        'CrippenClogP',
        'number',
        null,
        'Octanol-water partition coefficient as log10, by the atom contributions of Wildman and Crippen.',
      ),
      column('tpsa', 'number', 'Å²', 'Topological polar surface area.'),
      column(
        'lipinskiHBA',
        'integer',
        null,
        'Hydrogen bond acceptors as Lipinski counts them: nitrogen and oxygen atoms.',
      ),
      column(
        'lipinskiHBD',
        'integer',
        null,
        'Hydrogen bond donors as Lipinski counts them: hydrogens on nitrogen and oxygen.',
      ),
      column('NumRotatableBonds', 'integer', null, 'Rotatable bonds, amides left out.'),
      column('NumAromaticRings', 'integer', null, 'Aromatic rings.'),
      column('FractionCSP3', 'number', null, 'Share of the carbon atoms that are sp3, 0 to 1.'),
      column(
        'CrippenMR',
        'number',
        'cm³/mol',
        'Molar refractivity, by the atom contributions of Wildman and Crippen.',
      ),
      column('NumHeavyAtoms', 'integer', null, 'Atoms other than hydrogen.'),
      column(
        'lipinski_violations',
        'integer',
        null,
        "How many of Lipinski's four limits are exceeded (500 g/mol, logP 5, 5 donors, 10 acceptors), 0 to 4.",
      ),
      column(
        'veber_pass',
        'boolean',
        null,
        'True with at most 10 rotatable bonds and a polar surface of at most 140 Å².',
      ),
    ],
    citation:
      'RDKit 2026.09.1, https://www.rdkit.org, doi:10.5281/zenodo.591637. Lipinski and others, Adv. Drug Deliv. Rev. 1997, 23, 3, doi:10.1016/S0169-409X(96)00423-1. Veber and others, J. Med. Chem. 2002, 45, 2615, doi:10.1021/jm020017n. Wildman and Crippen, J. Chem. Inf. Comput. Sci. 1999, 39, 868, doi:10.1021/ci990307l.',
    identification: {
      description:
        "Twelve physicochemical descriptors of a molecule with Lipinski's and Veber's rules of thumb: the first triage of any library.",
      title: 'Physicochemical profile',
      interpretation:
        "Computed from the structure, not measured. Oral drugs mostly have at most one Lipinski violation and pass Veber's rule; natural products and macrocycles often do neither.",
      slug: 'physicochemical-profile',
      source_code: 'https://github.com/rdkit/rdkit',
      publication: 'https://doi.org/10.1016/S0169-409X(96)00423-1',
      target_organisms: [],
      biomedical_areas: ['ADMET'],
    },
  },
  {
    id: 'eos-solubility',
    executionMode: 'SYNC',
    columns: [
      column(
        'esol_logs',
        'number',
        'log10(mol/l)',
        "Solubility in water by ESOL's linear model, with RDKit's descriptors.",
      ),
      column(
        'ocl_logs',
        'number',
        'log10(mol/l)',
        "Solubility in water by OpenChemLib's atom contributions.",
      ),
      column(
        'ocl_logp',
        'number',
        null,
        "Octanol-water partition coefficient as log10, by OpenChemLib's atom contributions.",
      ),
    ],
    citation:
      'Delaney, J. Chem. Inf. Comput. Sci. 2004, 44, 1000, doi:10.1021/ci034243x. OpenChemLib 9.25.0, https://github.com/cheminfo/openchemlib-js. RDKit 2026.09.1, https://www.rdkit.org, doi:10.5281/zenodo.591637.',
    identification: {
      description:
        'Solubility in water estimated in two independent ways (ESOL and OpenChemLib), and lipophilicity.',
      title: 'Aqueous solubility',
      interpretation:
        'log10 of mol/l: -2 is 10 mmol/l, -4 is 0.1 mmol/l, -6 is 1 µmol/l. On 1,282 measured values the root mean square error is 0.98 (ESOL) and 0.86 (OpenChemLib); some of these molecules were probably used to make the models, so expect more on new chemistry. Where the two disagree by more than 2, trust neither.',
      slug: 'aqueous-solubility',
      source_code: 'https://github.com/cheminfo/openchemlib-js',
      publication: 'https://doi.org/10.1021/ci034243x',
      target_organisms: [],
      biomedical_areas: ['ADMET'],
    },
  },
  {
    id: 'eos-morgan',
    executionMode: 'ASYNC',
    columns: Array.from({ length: 2048 }, (_, bit) =>
      column(
        `bit_${String(bit).padStart(4, '0')}`,
        'integer',
        null,
        `Bit ${bit} of the fingerprint: 1 when an atom's surroundings hash to it, else 0.`,
      ),
    ),
    citation:
      'Rogers and Hahn, J. Chem. Inf. Model. 2010, 50, 742, doi:10.1021/ci100050t. RDKit 2026.09.1, https://www.rdkit.org, doi:10.5281/zenodo.591637.',
    identification: {
      description:
        'Morgan fingerprint of radius 2 as 2,048 bits: for similarity, clustering, and as input of other models.',
      title: 'Morgan fingerprint',
      interpretation:
        'Compare two molecules by Tanimoto: bits set in both over bits set in either. Aspirin and salicylic acid have 0.448. Different surroundings can share a bit.',
      slug: 'morgan-fingerprint',
      source_code: 'https://github.com/rdkit/rdkit',
      publication: 'https://doi.org/10.1021/ci100050t',
      target_organisms: [],
      biomedical_areas: [],
    },
  },
];

const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
const json = (value: unknown) => `${text(JSON.stringify(value))}::jsonb`;

/** cpu in millicores, memory in mebibytes; what is not named here has the table's default. */
const insertModel = ({ id, executionMode, columns, citation, identification }: ShippedModel) =>
  `insert into model (id, description, execution_mode, image, image_tag,
     cpu_request_millicores, cpu_limit_millicores, memory_request_mebibytes, memory_limit_mebibytes,
     columns, citation, identification_details)
   values (${text(id)}, ${text(identification.description)}, ${text(executionMode)}, ${text(`ersiliaos/${id}`)}, 'v1.0.0',
     100, 1000, 200, 512,
     ${json(columns)}, ${text(citation)}, ${json(identification)})
   on conflict (id) do nothing`;
