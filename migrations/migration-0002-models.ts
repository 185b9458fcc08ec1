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

/** cpu in millicores, memory in mebibytes. */
interface ShippedModel {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly interpretation: string;
  readonly citation: string;
  readonly publication: string;
  readonly columns: readonly ShippedColumn[];
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
    title: 'Physicochemical properties and drug-likeness rules',
    description:
      'Twelve properties of a molecule for a first triage of any library: size, lipophilicity, polarity, flexibility, and the rules of Lipinski and Veber.',
    interpretation:
      'More than one Lipinski violation or a failed Veber rule makes good oral absorption less likely.',
    citation:
      'Lipinski CA et al. Adv Drug Deliv Rev 2001, 46, 3-26; Veber DF et al. J Med Chem 2002, 45, 2615-2623; computed with RDKit.',
    publication: 'https://doi.org/10.1021/jm020017n',
    columns: [
      column('amw', 'number', 'g/mol', 'average molecular weight'),
      column('CrippenClogP', 'number', null, 'octanol-water partition coefficient (log10) after Crippen'),
      column('tpsa', 'number', 'Å²', 'topological polar surface area'),
      column('lipinskiHBA', 'integer', null, 'hydrogen-bond acceptors after Lipinski: nitrogens and oxygens'),
      column('lipinskiHBD', 'integer', null, 'hydrogen-bond donors after Lipinski: hydrogens on N and O'),
      column('NumRotatableBonds', 'integer', null, 'rotatable bonds'),
      column('NumAromaticRings', 'integer', null, 'aromatic rings'),
      column('FractionCSP3', 'number', null, 'fraction of carbons that are sp3 hybridised, 0 to 1'),
      column('CrippenMR', 'number', null, 'molar refractivity after Crippen'),
      column('NumHeavyAtoms', 'integer', null, 'atoms other than hydrogen'),
      column('lipinski_violations', 'integer', null, 'rules of five that are broken, 0 to 4'),
      column('veber_pass', 'boolean', null, 'at most 10 rotatable bonds and at most 140 Å² polar surface'),
    ],
  },
  {
    id: 'eos-solubility',
    title: 'Solubility in water, by two methods',
    description:
      'Solubility in water after Delaney (ESOL) and by the atom types of OpenChemLib, with its octanol-water partition coefficient.',
    interpretation:
      'Higher dissolves better: 0 is 1 mol/L, -4 is 0.1 mmol/L. On 1,282 measured values the root mean square errors are 0.98 (ESOL) and 0.86 (OpenChemLib); the methods have probably seen many of these molecules.',
    citation: 'Delaney JS. J Chem Inf Comput Sci 2004, 44, 1000-1005; computed with RDKit and OpenChemLib.',
    publication: 'https://doi.org/10.1021/ci034243x',
    columns: [
      column('esol_logs', 'number', 'log10(mol/L)', 'solubility in water after Delaney'),
      column('ocl_logs', 'number', 'log10(mol/L)', 'solubility in water by OpenChemLib'),
      column('ocl_logp', 'number', null, 'octanol-water partition coefficient (log10) by OpenChemLib'),
    ],
  },
  {
    id: 'eos-morgan',
    title: 'Morgan fingerprint, 2,048 bits',
    description:
      'The circular (Morgan) fingerprint of radius 2, folded to 2,048 bits: for similarity, clustering, and as input of other models.',
    interpretation: 'A bit is 1 when the molecule has an atom environment that is folded onto it.',
    citation: 'Rogers D, Hahn M. J Chem Inf Model 2010, 50, 742-754; computed with RDKit.',
    publication: 'https://doi.org/10.1021/ci100050t',
    columns: Array.from({ length: 2048 }, (_, bit) =>
      column(`bit_${String(bit).padStart(4, '0')}`, 'integer', null, `bit ${bit} of the fingerprint, 0 or 1`),
    ),
  },
];

const text = (value: string) => `'${value.replaceAll("'", "''")}'`;
const json = (value: unknown) => `${text(JSON.stringify(value))}::jsonb`;

function insertModel(model: ShippedModel): string {
  const identification = {
    description: model.description,
    title: model.title,
    interpretation: model.interpretation,
    slug: model.id,
    source_code: null,
    publication: model.publication,
    target_organisms: null,
    biomedical_areas: null,
  };
  return `insert into model (id, description, execution_mode, image, cpu_request_millicores, cpu_limit_millicores,
      memory_request_mebibytes, memory_limit_mebibytes, columns, citation, identification_details)
    values (${text(model.id)}, ${text(model.description)}, 'SYNC', ${text(`ersiliaos/${model.id}`)}, 250, 1000,
      256, 512, ${json(model.columns)}, ${text(model.citation)}, ${json(identification)})
    on conflict (id) do nothing`;
}
