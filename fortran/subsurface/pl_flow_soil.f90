!> Storage and relative conductivity of the cells of the distributed subsurface.
!>
!> Retention parameters come in classes (indicators), cells name their class: one integer per cell instead of six
!> numbers. The conductivity at saturation is not among them; it belongs to faces (pl_flow_faces). Storage is that of
!> ParFlow (Kollet and Maxwell 2006, Adv. Water Resour. 29, 945-958, eq. 1), integrated:
!>    storage = theta (1 + specific_storage/porosity max(p, -porosity/(2 specific_storage)))
!> The bound keeps storage a growing function of the head where soil is drier than compressibility makes sense.
module pl_flow_soil
   use pl_chunk, only: w => chunk_width
   use pl_error, only: error_input, error_type, raise_error
   use pl_kinds, only: rk
   use pl_retention_curves, only: clapp_hornberger, driest_head, gardner, invert_van_genuchten, largest_exponent, &
                                  van_genuchten
   use pl_soil_hydraulics, only: create_soil_hydraulics, prepare_soil_hydraulics, retention_clapp_hornberger, &
                                 retention_van_genuchten, soil_hydraulics_type
   implicit none (type, external)
   private
   public :: class_parameters_type, create_flow_soil, evaluate_cells, flow_soil_type, ice_impedance, invert_lanes
   public :: lane_water, load_if_new

   real(rk), parameter :: impedance = 6.0_rk*log(10.0_rk) !! of ice, per share of the pores (Lundin 1990) [1]
   real(rk), parameter :: least_relative = 1.0e-100_rk    !! relative conductivity that keeps ratios finite [1]

   !> Parameters of the cells of a chunk, gathered from their classes.
   type :: class_parameters_type
      real(rk), dimension(w) :: alpha, shape_n, saturation_scale, conductivity_scale, entry, release, porosity, residual, &
                                elastic, air_dry_water
   end type class_parameters_type

   !> Retention of all classes; class `nclass` + 1 stands for cells that do not exist.
   type :: flow_soil_type
      integer :: retention = retention_van_genuchten !! scheme, one for all classes
      integer :: nclass = 0                          !! classes [1]
      type(soil_hydraulics_type) :: table            !! class c in lane mod(c - 1, w) + 1 of row (c - 1)/w + 1
   end type flow_soil_type

contains

   !> Enter classes and derive their constants.
   subroutine create_flow_soil(soil, retention, air_entry, air_dry_head, classes, error)
      type(flow_soil_type), intent(inout) :: soil
      integer, intent(in) :: retention                    !! pl_soil_hydraulics: retention_*
      real(rk), intent(in) :: air_entry                   !! [m]
      real(rk), intent(in) :: air_dry_head                !! [m]
      real(rk), intent(in) :: classes(:, :)               !! (class, 5): porosity, residual water, scale, shape, Ss
      type(error_type), allocatable, intent(out) :: error !! parameters out of range, not enough memory
      integer :: c, lane, nrow, row, source
      soil%retention = retention
      soil%nclass = size(classes, 1)
      soil%table%retention = retention
      soil%table%air_entry = air_entry
      soil%table%air_dry_head = air_dry_head
      if (soil%nclass < 1 .or. size(classes, 2) /= 5) then
         call raise_error(error, error_input, "flow: soil classes must be (class, 5)")
         return
      end if
      nrow = soil%nclass/w + 1
      call create_soil_hydraulics(soil%table, nrow, error)
      if (allocated(error)) return
      do c = 1, nrow*w
         lane = mod(c - 1, w) + 1
         row = (c - 1)/w + 1
         source = min(c, soil%nclass)
         soil%table%porosity(lane, row) = classes(source, 1)
         soil%table%residual_water(lane, row) = classes(source, 2)
         soil%table%retention_scale(lane, row) = classes(source, 3)
         soil%table%retention_shape(lane, row) = classes(source, 4)
         soil%table%specific_storage(lane, row) = classes(source, 5)
         soil%table%saturated_conductivity(lane, row) = 1.0_rk
      end do
      call prepare_soil_hydraulics(soil%table, nrow, error)
      if (allocated(error)) return
      ! a cell that does not exist is saturated and elastic at any head: its equation says that nothing changes
      lane = mod(soil%nclass, w) + 1
      row = soil%nclass/w + 1
      soil%table%entry_head(lane, row) = -2.0_rk*driest_head
      soil%table%porosity(lane, row) = 1.0_rk
      soil%table%residual_water(lane, row) = 0.0_rk
      soil%table%specific_storage(lane, row) = -0.25_rk/driest_head
   end subroutine create_flow_soil

   !> Storage, conductivity and their derivatives of `n` cells.
   !>
   !> Cells take the same instructions wherever they lie: all go through chunks of full width.
   subroutine evaluate_cells(soil, n, class, head, has_ice, ice, storage, capacity, relative, slope)
      type(flow_soil_type), intent(in) :: soil
      integer, intent(in) :: n                 !! cells [1]
      integer, intent(in) :: class(n)          !! class of each cell [1]
      real(rk), intent(in) :: head(n)          !! pressure head [m]
      logical, intent(in) :: has_ice           !! whether `ice` is set
      real(rk), intent(in) :: ice(merge(n, 1, has_ice)) !! as volume of liquid water [m3 m-3]
      real(rk), intent(out) :: storage(n)      !! [m3 m-3]
      real(rk), intent(out) :: capacity(n)     !! derivative of the storage [m-1]
      real(rk), intent(out) :: relative(n)     !! conductivity over that at saturation [1]
      real(rk), intent(out) :: slope(n)        !! its derivative to the head [m-1]
      type(class_parameters_type) :: now
      integer :: classes(w), first, i, loaded, m
      real(rk), dimension(w) :: heads, ices, out_storage, out_capacity, out_relative, out_slope
      ices = 0.0_rk
      loaded = 0
      do first = 1, n, w
         m = min(w, n - first + 1)
         if (has_ice) then
            do i = 1, w
               ices(i) = ice(first + min(i, m) - 1)
            end do
         end if
         if (m == w) then
            call load_if_new(soil, class(first), has_ice, ices, loaded, now)
            call evaluate_chunk(soil, now, head(first), storage(first), capacity(first), relative(first), slope(first))
         else
            do i = 1, w
               classes(i) = class(first + min(i, m) - 1)
               heads(i) = head(first + min(i, m) - 1)
            end do
            call load_if_new(soil, classes, has_ice, ices, loaded, now)
            call evaluate_chunk(soil, now, heads, out_storage, out_capacity, out_relative, out_slope)
            storage(first:n) = out_storage(:m)
            capacity(first:n) = out_capacity(:m)
            relative(first:n) = out_relative(:m)
            slope(first:n) = out_slope(:m)
         end if
      end do
   end subroutine evaluate_cells

   !> One chunk of cells.
   subroutine evaluate_chunk(soil, now, head, storage, capacity, relative, slope)
      type(flow_soil_type), intent(in) :: soil
      type(class_parameters_type), intent(in) :: now
      real(rk), intent(in) :: head(w)       !! [m]
      real(rk), intent(out) :: storage(w)   !! [m3 m-3]
      real(rk), intent(out) :: capacity(w)  !! [m-1]
      real(rk), intent(out) :: relative(w)  !! [1]
      real(rk), intent(out) :: slope(w)     !! [m-1]
      real(rk), dimension(w) :: saturation
      if (all(head >= -now%entry)) then
         saturation = 1.0_rk
         capacity = 0.0_rk
         relative = 1.0_rk
         slope = 0.0_rk
      else
         select case (soil%retention)
         case (retention_van_genuchten)
            call van_genuchten(now%alpha, now%shape_n, now%saturation_scale, now%conductivity_scale, now%entry, head, &
                               saturation, capacity, relative, slope)
         case (retention_clapp_hornberger)
            call clapp_hornberger(now%shape_n, now%conductivity_scale, now%entry, head, saturation, capacity, relative, slope)
         case default
            call gardner(now%alpha, now%conductivity_scale, head, saturation, capacity, relative, slope)
         end select
      end if
      call add_compression(now, head, saturation, capacity, storage, relative, slope)
   end subroutine evaluate_chunk

   !> From effective saturation to storage; the saturated branch.
   pure subroutine add_compression(now, head, saturation, capacity, storage, relative, slope)
      type(class_parameters_type), intent(in) :: now
      real(rk), intent(in) :: head(w)          !! [m]
      real(rk), intent(in) :: saturation(w)    !! effective [1]
      real(rk), intent(inout) :: capacity(w)   !! in: of the effective saturation; out: of the storage [m-1]
      real(rk), intent(out) :: storage(w)      !! [m3 m-3]
      real(rk), intent(inout) :: relative(w)   !! [1]
      real(rk), intent(inout) :: slope(w)      !! [m-1]
      real(rk) :: water, pores, squeezed, bound
      logical :: full
      integer :: i
      do i = 1, w
         full = head(i) >= -now%entry(i)
         pores = now%porosity(i) - now%residual(i)
         water = merge(now%porosity(i), now%residual(i) + pores*saturation(i), full)
         capacity(i) = merge(0.0_rk, pores*capacity(i), full)
         bound = -0.5_rk/now%elastic(i)
         squeezed = 1.0_rk + now%elastic(i)*max(head(i), bound)
         storage(i) = water*squeezed
         capacity(i) = capacity(i)*squeezed + merge(now%elastic(i)*water, 0.0_rk, head(i) > bound)
         relative(i) = merge(1.0_rk, max(relative(i), least_relative), full)
         slope(i) = merge(0.0_rk, slope(i), full)
      end do
   end subroutine add_compression

   !> Parameters of the classes of a chunk, unless they are loaded: all of class `loaded`, and no ice.
   subroutine load_if_new(soil, class, has_ice, ice, loaded, now)
      type(flow_soil_type), intent(in) :: soil
      integer, intent(in) :: class(w)                 !! [1]
      logical, intent(in) :: has_ice
      real(rk), intent(in) :: ice(w)                  !! [m3 m-3]
      integer, intent(inout) :: loaded                !! class of all lanes of `now`; 0: they differ
      type(class_parameters_type), intent(inout) :: now
      if (all(class == loaded) .and. .not. has_ice) return
      call load_classes(soil, class, has_ice, ice, now)
      loaded = merge(class(1), 0, all(class == class(1)))
   end subroutine load_if_new

   !> Parameters of the classes of a chunk; ice takes its share of the pores.
   subroutine load_classes(soil, class, has_ice, ice, now)
      type(flow_soil_type), intent(in) :: soil
      integer, intent(in) :: class(w)                 !! [1]
      logical, intent(in) :: has_ice
      real(rk), intent(in) :: ice(w)                  !! [m3 m-3]
      type(class_parameters_type), intent(out) :: now
      integer :: i
      call gather_classes(size(soil%table%porosity), class, soil%table%retention_scale, soil%table%retention_shape, &
                          soil%table%saturation_scale, soil%table%conductivity_scale, soil%table%entry_head, &
                          soil%table%release_head, soil%table%porosity, soil%table%residual_water, &
                          soil%table%specific_storage, soil%table%air_dry_water, now)
      if (.not. has_ice) return
      do i = 1, w
         now%porosity(i) = max(now%porosity(i) - ice(i), now%residual(i))
      end do
   end subroutine load_classes

   !> Gather from tables whose entries are numbered through.
   pure subroutine gather_classes(n, class, scale, shape_n, saturation_scale, conductivity_scale, entry, release, porosity, &
                                  residual, specific, dry, now)
      integer, intent(in) :: n        !! entries of each table [1]
      integer, intent(in) :: class(w) !! [1]
      real(rk), intent(in), dimension(n) :: scale, shape_n, saturation_scale, conductivity_scale, entry, release, porosity, &
                                            residual, specific, dry
      type(class_parameters_type), intent(out) :: now
      integer :: c, i
      if (all(class == class(1))) then
         c = class(1)
         now%alpha = scale(c)
         now%shape_n = shape_n(c)
         now%saturation_scale = saturation_scale(c)
         now%conductivity_scale = conductivity_scale(c)
         now%entry = entry(c)
         now%release = release(c)
         now%porosity = porosity(c)
         now%residual = residual(c)
         now%elastic = specific(c)/porosity(c)
         now%air_dry_water = dry(c)
         return
      end if
      do i = 1, w
         c = class(i)
         now%alpha(i) = scale(c)
         now%shape_n(i) = shape_n(c)
         now%saturation_scale(i) = saturation_scale(c)
         now%conductivity_scale(i) = conductivity_scale(c)
         now%entry(i) = entry(c)
         now%release(i) = release(c)
         now%porosity(i) = porosity(c)
         now%residual(i) = residual(c)
         now%elastic(i) = specific(c)/porosity(c)
         now%air_dry_water(i) = dry(c)
      end do
   end subroutine gather_classes

   !> Factor of ice on the conductivity of `n` cells: 10**(-6 ice/porosity) (Lundin 1990, J. Hydrol. 118, 289-310).
   pure subroutine ice_impedance(soil, n, class, ice, factor)
      type(flow_soil_type), intent(in) :: soil
      integer, intent(in) :: n            !! cells [1]
      integer, intent(in) :: class(n)     !! class of each cell [1]
      real(rk), intent(in) :: ice(n)      !! as volume of liquid water [m3 m-3]
      real(rk), intent(out) :: factor(n)  !! [1]
      integer :: i
      do i = 1, n
         factor(i) = exp(-impedance*ice(i)/soil%table%porosity(mod(class(i) - 1, w) + 1, (class(i) - 1)/w + 1))
      end do
   end subroutine ice_impedance

   !> Water content and its derivative from storage and capacity.
   pure subroutine lane_water(now, head, storage, capacity, water, rate)
      type(class_parameters_type), intent(in) :: now
      real(rk), intent(in) :: head(w)     !! [m]
      real(rk), intent(in) :: storage(w)  !! [m3 m-3]
      real(rk), intent(in) :: capacity(w) !! [m-1]
      real(rk), intent(out) :: water(w)   !! [m3 m-3]
      real(rk), intent(out) :: rate(w)    !! derivative of the water content to the head [m-1]
      real(rk) :: bound, squeezed
      integer :: i
      do i = 1, w
         bound = -0.5_rk/now%elastic(i)
         squeezed = 1.0_rk + now%elastic(i)*max(head(i), bound)
         water(i) = storage(i)/squeezed
         rate(i) = max(capacity(i) - merge(now%elastic(i)*water(i), 0.0_rk, head(i) > bound), 0.0_rk)/squeezed
      end do
   end subroutine lane_water

   !> Heads of a chunk at given water contents, between `driest_head` and minus the air-entry head.
   subroutine invert_lanes(soil, now, water, head)
      type(flow_soil_type), intent(in) :: soil
      type(class_parameters_type), intent(in) :: now
      real(rk), intent(in) :: water(w) !! [m3 m-3]
      real(rk), intent(out) :: head(w) !! [m]
      real(rk) :: saturation(w)
      integer :: i
      do i = 1, w
         saturation(i) = min(max((water(i) - now%residual(i))/max(now%porosity(i) - now%residual(i), tiny(1.0_rk)), &
                                 tiny(1.0_rk)), 1.0_rk)
      end do
      select case (soil%retention)
      case (retention_van_genuchten)
         call invert_van_genuchten(now%alpha, now%shape_n, now%saturation_scale, saturation, head)
      case (retention_clapp_hornberger)
         do i = 1, w
            head(i) = -min(now%entry(i), -driest_head) &
                      *exp(min(-now%shape_n(i)*log(saturation(i)), 0.5_rk*largest_exponent))
         end do
      case default
         do i = 1, w
            head(i) = log(saturation(i))/now%alpha(i)
         end do
      end select
      do i = 1, w
         head(i) = merge(-now%entry(i), min(max(head(i), driest_head), -now%entry(i)), saturation(i) >= 1.0_rk)
      end do
   end subroutine invert_lanes

end module pl_flow_soil
