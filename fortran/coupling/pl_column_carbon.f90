!> Carbon of a set of columns: its share of a chunk's step, its balance, and its equilibrium.
module pl_column_carbon
   use pl_carbon_step, only: add_patch_carbon, carbon_evolving, carbon_none, carbon_patch_type, carbon_prescribed, &
                             carbon_sums_type, finish_carbon, start_carbon
   use pl_chunk, only: chunk_count, first_column, lane_source, last_column, w => chunk_width
   use pl_chunk_load, only: load_chunk
   use pl_column_model, only: column_model_type
   use pl_carbon_state, only: create_carbon_fields
   use pl_error, only: error_balance, error_input, error_state, error_type, raise_error
   use pl_kinds, only: rk
   use pl_land_step, only: land_sums_type
   use pl_soil_carbon, only: equilibrium_pools, npool, top_soil_mean
   implicit none (type, external)
   private
   public :: check_carbon_closure, check_carbon_parameters, column_model_balance_carbon, column_model_set_carbon
   public :: column_model_start_carbon_sums, note_patch_carbon, step_carbon

   real(rk), parameter :: carbon_tolerance = 1.0e-12_rk !! largest carbon residual of a step [kg m-2]

contains

   !> Choose the scheme; the first one that computes carbon creates its fields.
   subroutine column_model_set_carbon(model, scheme, fluorescence_yield, error)
      type(column_model_type), target, intent(inout) :: model
      integer, intent(in) :: scheme               !! pl_carbon_step: carbon_*
      real(rk), intent(in) :: fluorescence_yield  !! [W m-2 um-1 sr-1 / (kg m-2 s-1)]
      type(error_type), allocatable, intent(out) :: error !! unknown scheme, no columns yet, not enough memory
      if (all(scheme /= [carbon_none, carbon_prescribed, carbon_evolving])) then
         call raise_error(error, error_input, "unknown carbon scheme: expected 0 (none), 1 (prescribed) or 2 (evolving)")
         return
      end if
      if (model%ncolumn == 0) then
         call raise_error(error, error_input, "create the columns before choosing how their carbon is computed")
         return
      end if
      if (.not. fluorescence_yield >= 0.0_rk) then
         call raise_error(error, error_input, "the fluorescence yield must not be negative")
         return
      end if
      if (scheme /= carbon_none .and. .not. allocated(model%carbon%plant_carbon)) then
         call create_carbon_fields(model%table, model%npatch, model%carbon, error)
         if (allocated(error)) return
         model%is_prepared = .false.
      end if
      model%carbon%scheme = scheme
      model%carbon%fluorescence_yield = fluorescence_yield
   end subroutine column_model_set_carbon

   !> Nitrogen and turnover must be physical; names the first column that is not.
   subroutine check_carbon_parameters(model, error)
      type(column_model_type), intent(in) :: model
      type(error_type), allocatable, intent(out) :: error
      character(len=12) :: place
      logical :: is_right(model%ncolumn)
      if (model%carbon%scheme == carbon_none) return
      associate (carbon => model%carbon)
         is_right = all(carbon%stem_nitrogen >= 0.0_rk .and. carbon%root_nitrogen >= 0.0_rk .and. &
                        carbon%litterfall_rate > 0.0_rk, 2)
      end associate
      if (all(is_right)) return
      write (place, "(i0)") findloc(is_right, .false., dim=1)
      call raise_error(error, error_input, "parameters of plant carbon are out of range in column "//trim(place)// &
                       ": expected stem_nitrogen and root_nitrogen of at least 0 kg m-2 and litterfall_rate above 0 s-1")
   end subroutine check_carbon_parameters

   !> Keep what photosynthesis gave a patch until the end of the step.
   pure subroutine note_patch_carbon(model, sums, first, last, patch)
      type(column_model_type), intent(inout) :: model
      type(land_sums_type), intent(in) :: sums
      integer, intent(in) :: first !! first column of the chunk
      integer, intent(in) :: last  !! last column of the chunk
      integer, intent(in) :: patch !! patch index
      model%carbon%patch_gross(first:last, patch) = sums%patch_gross(:last - first + 1)
      model%carbon%patch_leaf_respiration(first:last, patch) = sums%patch_leaf_respiration(:last - first + 1)
   end subroutine note_patch_carbon

   !> Carbon of a chunk, after its water and heat; with the soil temperature of the end of the step.
   subroutine step_carbon(model, dt, chunk, source, air_temperature, thickness, head)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt                           !! time step [s]
      integer, intent(in) :: chunk                         !! chunk index
      integer, intent(in) :: source(w)                     !! column of each lane
      real(rk), intent(in) :: air_temperature(w)           !! [K]
      real(rk), intent(in) :: thickness(w, model%nlayer)   !! [m]
      real(rk), intent(in) :: head(w, model%nlayer)        !! pressure head of the liquid [m]
      type(carbon_patch_type) :: patch
      type(carbon_sums_type) :: sums
      real(rk), dimension(w, model%nlayer) :: soil_temperature, layer_factor, roots, values
      real(rk) :: air_factor(w), sand(w), pools(w, npool)
      integer :: first, last, n, p
      logical :: is_evolving
      first = first_column(chunk)
      last = last_column(chunk, model%ncolumn)
      n = last - first + 1
      is_evolving = model%carbon%scheme == carbon_evolving
      call load_chunk(chunk, model%nlayer, model%land%soil_temperature, soil_temperature)
      call load_chunk(chunk, model%nlayer, model%land_parameters%sand, values)
      call load_chunk(chunk, npool, model%carbon%carbon_pools, pools)
      call top_soil_mean(model%nlayer, thickness, values, sand)
      call start_carbon(model%nlayer, air_temperature, soil_temperature, air_factor, layer_factor, sums)
      do p = 1, model%npatch
         call load_patch(model, source, p, patch)
         call load_chunk(chunk, model%nlayer, model%land_parameters%root_fraction(:, (p - 1)*model%nlayer + 1:p*model%nlayer), &
                         roots)
         call add_patch_carbon(dt, is_evolving, model%nlayer, air_factor, layer_factor, roots, patch, sums)
         model%carbon%plant_carbon(first:last, p) = patch%carbon(:n)
         model%carbon%production_sum(first:last, p) = model%carbon%production_sum(first:last, p) + dt*patch%net(:n)
      end do
      call finish_carbon(dt, is_evolving, model%nlayer, thickness, soil_temperature, head, sand, pools, sums)
      call store(model, dt, first, last, pools, sums)
   end subroutine step_carbon

   !> Plants of one patch.
   pure subroutine load_patch(model, source, p, patch)
      type(column_model_type), intent(in) :: model
      integer, intent(in) :: source(w) !! column of each lane
      integer, intent(in) :: p         !! patch index
      type(carbon_patch_type), intent(out) :: patch
      patch%fraction = model%land_parameters%patch_fraction(source, p)
      patch%stem_nitrogen = model%carbon%stem_nitrogen(source, p)
      patch%root_nitrogen = model%carbon%root_nitrogen(source, p)
      patch%turnover = model%carbon%litterfall_rate(source, p)
      patch%gross = model%carbon%patch_gross(source, p)
      patch%leaf_respiration = model%carbon%patch_leaf_respiration(source, p)
      patch%carbon = model%carbon%plant_carbon(source, p)
   end subroutine load_patch

   !> Write pools and fluxes of a chunk back.
   pure subroutine store(model, dt, first, last, pools, sums)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: dt              !! time step [s]
      integer, intent(in) :: first            !! first column of the chunk
      integer, intent(in) :: last             !! last column of the chunk
      real(rk), intent(in) :: pools(w, npool) !! [kg m-2]
      type(carbon_sums_type), intent(in) :: sums
      integer :: n
      n = last - first + 1
      associate (c => model%carbon)
         c%carbon_pools(first:last, :) = pools(:n, :)
         c%decomposition_sum(first:last, 1) = c%decomposition_sum(first:last, 1) + dt*sums%factor(:n)
         c%sum_time(first:last, 1) = c%sum_time(first:last, 1) + dt
         c%net_primary_production(first:last, 1) = sums%gross(:n) - sums%autotrophic(:n)
         c%autotrophic_respiration(first:last, 1) = sums%autotrophic(:n)
         c%heterotrophic_respiration(first:last, 1) = sums%heterotrophic(:n)
         c%net_ecosystem_exchange(first:last, 1) = sums%exchange(:n)
         c%litterfall(first:last, 1) = sums%litterfall(:n)
         c%fluorescence(first:last, 1) = c%fluorescence_yield*sums%gross(:n)
         c%decomposition_factor(first:last, 1) = sums%factor(:n)
         c%vegetation_carbon(first:last, 1) = sums%plants(:n)
         c%litter_carbon(first:last, 1) = sum(pools(:n, 1:3), 2)
         c%soil_carbon(first:last, 1) = sum(pools(:n, 4:6), 2)
         c%carbon_balance_residual(first:last, 1) = sums%residual(:n)
      end associate
   end subroutine store

   !> Carbon must close in every column; NaN never does.
   subroutine check_carbon_closure(model, error)
      type(column_model_type), intent(in) :: model
      type(error_type), allocatable, intent(out) :: error
      character(len=12) :: place, size_text
      integer :: column
      if (model%carbon%scheme == carbon_none) return
      associate (residual => model%carbon%carbon_balance_residual(:, 1), exchange => model%carbon%net_ecosystem_exchange(:, 1))
         if (all(abs(residual) < carbon_tolerance .and. abs(exchange) < huge(1.0_rk))) return
         column = findloc(abs(residual) < carbon_tolerance .and. abs(exchange) < huge(1.0_rk), .false., dim=1)
         write (place, "(i0)") column
         write (size_text, "(es10.2)") residual(column)
         call raise_error(error, error_balance, "carbon does not close in column "//trim(place)//": residual"// &
                          trim(size_text)//" kg m-2")
      end associate
   end subroutine check_carbon_closure

   !> Begin the means of production and decay that an equilibrium needs.
   subroutine column_model_start_carbon_sums(model, error)
      type(column_model_type), intent(inout) :: model
      type(error_type), allocatable, intent(out) :: error !! columns without carbon
      call require_carbon(model, error)
      if (allocated(error)) return
      model%carbon%production_sum = 0.0_rk
      model%carbon%decomposition_sum = 0.0_rk
      model%carbon%sum_time = 0.0_rk
   end subroutine column_model_start_carbon_sums

   !> Error unless the columns have carbon.
   subroutine require_carbon(model, error)
      type(column_model_type), intent(in) :: model
      type(error_type), allocatable, intent(out) :: error
      if (.not. allocated(model%carbon%plant_carbon)) then
         call raise_error(error, error_input, "these columns have no carbon; choose prescribed or evolving carbon first")
      end if
   end subroutine require_carbon

   !> Set all pools to the equilibrium with the means since the sums began.
   !>
   !> Pools and plants take the production less the share `sink`, so that the mean net ecosystem exchange becomes
   !> -`sink` times the net primary production. Plants that lost carbon over that time get an empty store.
   subroutine column_model_balance_carbon(model, sink, error)
      type(column_model_type), intent(inout) :: model
      real(rk), intent(in) :: sink !! share of the net primary production that the ecosystem keeps, below 1 [1]
      type(error_type), allocatable, intent(out) :: error !! columns without carbon, no step since the sums began
      real(rk), dimension(w, model%nlayer) :: thickness, values
      real(rk) :: sand(w), litterfall(w), factor(w), pools(w, npool), time(w), production(w)
      integer :: chunk, first, i, last, p, source(w)
      call require_carbon(model, error)
      if (allocated(error)) return
      if (.not. sink < 1.0_rk) then
         call raise_error(error, error_input, "the share of production that the ecosystem keeps must be below 1")
         return
      end if
      if (.not. all(model%carbon%sum_time > 0.0_rk)) then
         call raise_error(error, error_state, "carbon pools need a spin-up: no step was made since their means began")
         return
      end if
      do chunk = 1, chunk_count(model%ncolumn)
         first = first_column(chunk)
         last = last_column(chunk, model%ncolumn)
         do i = 1, w
            source(i) = lane_source(chunk, i, model%ncolumn)
         end do
         call load_chunk(chunk, model%nlayer, model%land_parameters%thickness, thickness)
         call load_chunk(chunk, model%nlayer, model%land_parameters%sand, values)
         call top_soil_mean(model%nlayer, thickness, values, sand)
         time = model%carbon%sum_time(source, 1)
         factor = model%carbon%decomposition_sum(source, 1)/time
         litterfall = 0.0_rk
         do p = 1, model%npatch
            production = (1.0_rk - sink)*max(model%carbon%production_sum(source, p), 0.0_rk)/time
            litterfall = litterfall + model%land_parameters%patch_fraction(source, p)*production
            model%carbon%plant_carbon(first:last, p) = production(:last - first + 1)/model%carbon%litterfall_rate(first:last, p)
         end do
         call equilibrium_pools(sand, factor, litterfall, pools)
         model%carbon%carbon_pools(first:last, :) = pools(:last - first + 1, :)
      end do
   end subroutine column_model_balance_carbon

end module pl_column_carbon
