/**
 * The manifests for Kubernetes: valid by the schemas of Kubernetes and KEDA (kubernetes-models and
 * @kubernetes-models/keda, generated from their OpenAPI documents and resource definitions), without a field these do not
 * know, and in agreement with each other and with the programs they deploy.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ScaledObject, TriggerAuthentication } from "@kubernetes-models/keda/keda.sh/v1alpha1";
import { Deployment } from "kubernetes-models/apps/v1";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { Role, RoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1";
import { Service, ServiceAccount } from "kubernetes-models/v1";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
}

type Model = new (data: never) => { validate(): void };

// By kind: its model, and where the model's type is.
const MODELS: Readonly<Record<string, readonly [Model, string]>> = {
  Deployment: [Deployment, "kubernetes-models/apps/v1"],
  NetworkPolicy: [NetworkPolicy, "kubernetes-models/networking.k8s.io/v1"],
  Role: [Role, "kubernetes-models/rbac.authorization.k8s.io/v1"],
  RoleBinding: [RoleBinding, "kubernetes-models/rbac.authorization.k8s.io/v1"],
  ScaledObject: [ScaledObject, "@kubernetes-models/keda/keda.sh/v1alpha1"],
  Service: [Service, "kubernetes-models/v1"],
  ServiceAccount: [ServiceAccount, "kubernetes-models/v1"],
  TriggerAuthentication: [TriggerAuthentication, "@kubernetes-models/keda/keda.sh/v1alpha1"],
};

const folder = fileURLToPath(new URL("../../packages/scaler/manifests/", import.meta.url));
const read = (file: string): string => readFileSync(`${folder}${file}`, "utf8");
const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));

function manifestsOf(file: string): Manifest[] {
  const documents = parseAllDocuments(read(file), { uniqueKeys: true });
  return documents.map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
}

function one(file: string, kind: string): Manifest {
  const found = manifestsOf(file).filter((manifest) => manifest.kind === kind);
  expect(found).toHaveLength(1);
  return found[0] as Manifest;
}

/** What the compiler says of a manifest as an object of its type: it knows every field there is. */
function typeProblems(manifests: readonly Manifest[]): string[] {
  const source = manifests
    .map((manifest, index) => {
      const [, module] = MODELS[manifest.kind] ?? [];
      return `export const m${index}: import("${module}").I${manifest.kind} = ${JSON.stringify(manifest)};`;
    })
    .join("\n");
  const path = fileURLToPath(new URL("manifest-under-test.ts", import.meta.url));
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const fileExists = host.fileExists.bind(host);
  const getSourceFile = host.getSourceFile.bind(host);
  host.fileExists = (file) => file === path || fileExists(file);
  host.getSourceFile = (file, ...rest) =>
    file === path ? ts.createSourceFile(file, source, ts.ScriptTarget.ES2023) : getSourceFile(file, ...rest);
  return ts
    .getPreEmitDiagnostics(ts.createProgram([path], options, host))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

describe.each(files)("%s", (file) => {
  const manifests = manifestsOf(file);

  it("is valid by the schemas", () => {
    for (const manifest of manifests) {
      const [Kind] = MODELS[manifest.kind] ?? [];
      if (Kind === undefined) throw new Error(`no schema for ${manifest.kind}`);
      new Kind(manifest as never).validate();
    }
    expect(manifests.length).toBeGreaterThan(0);
  });

  it("stays in one namespace", () => {
    expect(new Set(manifests.map(({ metadata }) => metadata.namespace))).toEqual(new Set(["orders"]));
  });
});

it("no manifest has a field that nobody knows", () => {
  expect(typeProblems(files.flatMap(manifestsOf))).toEqual([]);
});

describe("these tests", () => {
  const [deployment] = manifestsOf("worker.yaml").filter(({ kind }) => kind === "Deployment");

  it("notice a value of the wrong type, and a field of the wrong name", () => {
    const spec = { replicas: "3" };
    expect(() => new Deployment({ ...deployment, spec } as never).validate()).toThrow("replicas must be integer");
    const wrong = { ...(one("worker.yaml", "Deployment") as PodOwner) };
    const named = { ...wrong, spec: { ...wrong.spec, replica: 3 } } as unknown as Manifest;
    expect(typeProblems([named])[0]).toContain("'\"replica\"' does not exist");
  });
});

interface Container {
  readonly args?: readonly string[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
  }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe?: object;
  readonly livenessProbe: object;
  readonly securityContext: object;
}
interface PodOwner extends Manifest {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: object };
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly serviceAccountName: string;
        readonly automountServiceAccountToken: boolean;
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: { readonly runAsNonRoot: boolean };
        readonly containers: readonly [Container];
      };
    };
  };
}

const podOf = (file: string) => (one(file, "Deployment") as PodOwner).spec.template.spec;
const settingsOf = (file: string): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(podOf(file).containers[0].env.map(({ name, value }) => [name, value]));

describe("together", () => {
  const withPods = files.filter((file) => manifestsOf(file).some(({ kind }) => kind === "Deployment"));

  it.each(withPods)("%s runs without rights it does not need", (file) => {
    const { securityContext, containers, serviceAccountName } = podOf(file);
    expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
    expect(containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    const account = one(file, "ServiceAccount") as Manifest & { automountServiceAccountToken: boolean };
    expect(account).toMatchObject({ metadata: { name: serviceAccountName }, automountServiceAccountToken: false });
  });

  it.each(withPods)("%s selects its own pods, in its network policy as well", (file) => {
    const { selector, template } = (one(file, "Deployment") as PodOwner).spec;
    expect(selector.matchLabels).toEqual(template.metadata.labels);
    const policy = one(file, "NetworkPolicy") as Manifest & { spec: { podSelector: object; policyTypes: string[] } };
    expect(policy.spec).toMatchObject({ podSelector: selector, policyTypes: ["Ingress", "Egress"] });
  });

  it.each(withPods)("%s has what lets somebody in come from secrets", (file) => {
    const secrets = podOf(file).containers[0].env.filter(({ name }) => /_(URL|TOKEN)$/.test(name));
    expect(secrets.length).toBeGreaterThan(0);
    for (const { value, valueFrom } of secrets) {
      expect(value).toBeUndefined();
      expect(valueFrom?.secretKeyRef.name).toMatch(/^(example-worker|orders-scaler)-(redis|database|token)$/);
    }
  });

  it("may read and set one workload's replicas, or with KEDA only read them", () => {
    const rulesOf = (file: string) => (one(file, "Role") as Manifest & { rules: object[] }).rules;
    const rule = { apiGroups: ["apps"], resources: ["deployments/scale"], resourceNames: ["example-worker"] };
    expect(rulesOf("scaler.yaml")).toEqual([{ ...rule, verbs: ["get", "patch"] }]);
    expect(rulesOf("keda.yaml")).toEqual([{ ...rule, verbs: ["get"] }]);
    const worker = one("worker.yaml", "Deployment").metadata;
    for (const file of ["scaler.yaml", "keda.yaml"]) {
      const { name, namespace } = one(file, "ServiceAccount").metadata;
      const binding = one(file, "RoleBinding") as Manifest & { subjects: object[]; roleRef: object };
      expect(binding.subjects).toEqual([{ kind: "ServiceAccount", name, namespace }]);
      expect(binding.roleRef).toMatchObject({ kind: "Role", name: one(file, "Role").metadata.name });
      expect(settingsOf(file)["WORKLOAD"]).toBe(worker.name);
      expect(namespace).toBe(worker.namespace);
    }
  });

  it("have a worker be left the time to drain, and its replicas to the scaler", () => {
    const { spec } = one("worker.yaml", "Deployment") as PodOwner;
    expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(35);
    expect(spec).not.toHaveProperty("replicas");
    expect(spec.template.spec.automountServiceAccountToken).toBe(false);
  });

  it("have workers that share partitions keep order, and a dead one's partitions wait for seconds only", () => {
    const { spec } = one("worker-partitions.yaml", "Deployment") as PodOwner;
    expect(spec).not.toHaveProperty("replicas");
    expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(35);
    const { PARTITIONS, ORDER_BY, LEASE_MS, STREAM, ...settings } = settingsOf("worker-partitions.yaml");
    expect(Number(PARTITIONS)).toBeGreaterThan(1);
    expect(ORDER_BY).toBeTruthy();
    expect(Number(LEASE_MS)).toBeLessThan(60_000);
    const { STREAM: plain, ...others } = settingsOf("worker.yaml");
    expect(settings).toEqual(others);
    // A stream that is there already does not become partitions.
    expect(STREAM).not.toBe(plain);
  });

  it("set nothing that the programs do not read", () => {
    const sourceOf = {
      "scaler.yaml": read("scaler.ts"),
      "keda.yaml": read("keda-scaler.ts"),
      "metrics-api.yaml": read("metrics-api-scaler.ts"),
    };
    for (const [file, source] of Object.entries(sourceOf)) {
      for (const name of Object.keys(settingsOf(file))) expect(source).toContain(`env["${name}"]`);
      expect(
        podOf(file).containers[0].args?.map((program) => files.concat(readdirSync(folder)).includes(program)),
      ).toEqual([true]);
    }
    const config = readFileSync(
      fileURLToPath(new URL("../../apps/example-worker/src/config.ts", import.meta.url)),
      "utf8",
    );
    for (const name of Object.keys(settingsOf("worker-partitions.yaml"))) expect(config).toContain(name);
    expect(settingsOf("scaler.yaml")).toMatchObject({
      STREAM: settingsOf("worker.yaml")["STREAM"],
      GROUP: settingsOf("worker.yaml")["GROUP"],
    });
  });

  interface Scaled extends Manifest {
    readonly spec: {
      readonly scaleTargetRef: { readonly name: string };
      readonly minReplicaCount: number;
      readonly maxReplicaCount: number;
      readonly triggers: readonly [
        { readonly type: string; readonly metricType: string; readonly metadata: Readonly<Record<string, string>> },
      ];
    };
  }

  it("have KEDA ask the scaler for the group it decides for", () => {
    const settings = settingsOf("keda.yaml");
    const [{ type, metricType, metadata }] = (one("keda.yaml", "ScaledObject") as Scaled).spec.triggers;
    expect({ type, metricType }).toEqual({ type: "external-push", metricType: "AverageValue" });
    expect(metadata).toEqual({
      scalerAddress: `orders-scaler.orders.svc.cluster.local:${settings["PORT"]}`,
      stream: settings["STREAM"],
      group: settings["GROUP"],
    });
    expect(settings["WORKLOAD"]).toBe("example-worker");
  });

  it("have KEDA ask by HTTP with the token the scaler wants, for one replica each", () => {
    const [trigger] = (one("metrics-api.yaml", "ScaledObject") as Scaled).spec.triggers;
    expect(trigger).toEqual({
      type: "metrics-api",
      metricType: "AverageValue",
      metadata: {
        url: `http://orders-scaler.orders.svc.cluster.local:${settingsOf("metrics-api.yaml")["PORT"]}/scale`,
        ...{ valueLocation: "desired", targetValue: "1", authMode: "bearer" },
      },
      authenticationRef: { name: "orders-scaler" },
    });
    const authentication = one("metrics-api.yaml", "TriggerAuthentication");
    const { env } = podOf("metrics-api.yaml").containers[0];
    const { name, key } = env.find((each) => each.name === "SCALE_TOKEN")?.valueFrom?.secretKeyRef ?? {};
    expect(authentication).toMatchObject({ spec: { secretTargetRef: [{ parameter: "token", name, key }] } });
  });

  it.each(["keda.yaml", "metrics-api.yaml"])("%s has KEDA and the scaler agree on the bounds", (file) => {
    const { spec } = one(file, "ScaledObject") as Scaled;
    const settings = settingsOf(file);
    expect(spec.scaleTargetRef.name).toBe(one("worker.yaml", "Deployment").metadata.name);
    expect(String(spec.minReplicaCount)).toBe(settings["MIN_CONSUMERS"]);
    expect(String(spec.maxReplicaCount)).toBe(settings["MAX_CONSUMERS"]);
    expect([settings["STREAM"], settings["GROUP"]]).toEqual(["commits", "example-worker"]);
  });

  it.each([
    ["keda.yaml", "grpc"],
    ["metrics-api.yaml", "http"],
  ])("%s meets at one port", (file, name) => {
    const container = podOf(file).containers[0];
    const port = Number(settingsOf(file)["PORT"]);
    expect(container.ports).toEqual([{ name, containerPort: port }]);
    expect(container.readinessProbe).toMatchObject(
      name === "grpc" ? { grpc: { port, service: "externalscaler.ExternalScaler" } } : { httpGet: { port: name } },
    );
    const service = one(file, "Service") as Manifest & { spec: { ports: object[] } };
    expect(service.spec.ports).toMatchObject([{ port, targetPort: name }]);
    const policy = one(file, "NetworkPolicy") as Manifest & { spec: { ingress: { ports: object[] }[] } };
    expect(policy.spec.ingress[0]?.ports).toEqual([{ protocol: "TCP", port }]);
  });
});
