export type { KubernetesObject, ObjectMeta, ObjectReference, OwnerReference } from '../controller/object.ts';
